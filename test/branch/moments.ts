// What a process that ends in the middle of something leaves on a disk that a test keeps.

import type { FaultyStore } from '../../src/storage/faulty-file.ts'

export type Moment = { readonly name: string; readonly store: FaultyStore }

/** The disk as a new process finds it, before each change that `act` makes and after the last. */
export async function momentsOf(store: FaultyStore, act: () => Promise<unknown>): Promise<Moment[]> {
  const moments: Moment[] = []
  const look = (name: string) => {
    for (const event of ['kill', 'power cut'] as const) {
      moments.push({ name: `${event} before ${name}`, store: store.after(event) })
    }
  }
  store.fault = (operation, path) => {
    if (operation !== 'read') look(`${operation} of ${path}`)
    return undefined
  }
  await act()
  store.fault = () => undefined
  look('the answer')
  return moments
}
