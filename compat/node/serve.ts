// The hand's side of hand.ts for clients that live in Node: lines in, verbs called in order, lines out.
import { createInterface } from 'node:readline'
import { Cannot, type Hello, Refused, type Verb, type Verbs } from '../hand.ts'

export type Handlers = {
  readonly [V in Verb]?: (fields: Verbs[V]['ask']) => Promise<Verbs[V]['answer']>
}

export const bootstrap = process.argv[2]!

/** `nameOf` finds Kafka's name in what the client threw; undefined: the client itself refused. */
export async function serve(
  hello: Omit<Hello, 'runtime'>,
  handlers: Handlers,
  nameOf: (problem: unknown) => string | undefined,
): Promise<void> {
  say({ hello: { ...hello, runtime: `Node ${process.version}` } })
  for await (const line of createInterface({ input: process.stdin })) {
    const { verb, ...fields } = JSON.parse(line) as { verb: Verb }
    const handler = handlers[verb] as ((fields: object) => Promise<unknown>) | undefined
    if (handler === undefined) say({ cannot: `${hello.client} has no ${verb}` })
    else
      await handler(fields).then(
        (answer) => say({ ok: answer }),
        (problem: unknown) => say(failure(problem, nameOf)),
      )
  }
  process.exit(0) // a client that still tries to reach a broker would hold the process
}

function failure(problem: unknown, nameOf: (problem: unknown) => string | undefined): object {
  const { message } = problem as Error
  if (problem instanceof Cannot) return { cannot: message }
  if (problem instanceof Refused) return { error: problem.error, message }
  return { error: nameOf(problem) ?? 'CLIENT', message }
}

function say(answer: object): void {
  process.stdout.write(`${JSON.stringify(answer)}\n`)
}

/** Records that came by themselves wait here for the next poll. */
export class Inbox<T extends { readonly topic: string; readonly partition: number }> {
  #held: T[] = []
  #wake: () => void = () => {}
  readonly #paused = new Set<string>()

  put(...items: T[]): void {
    this.#held.push(...items)
    this.#wake()
  }

  pause(topic: string, partition: number): void {
    this.#paused.add(`${topic} ${partition}`)
  }

  resume(topic: string, partition: number): void {
    this.#paused.delete(`${topic} ${partition}`)
  }

  /** What of this partition is held is of no use any more. */
  forget(topic: string, partition: number): void {
    this.#held = this.#held.filter((item) => item.topic !== topic || item.partition !== partition)
  }

  async take(ms: number): Promise<T[]> {
    const giveUpAt = Date.now() + ms
    for (;;) {
      const taken = this.#held.filter((item) => !this.#isPaused(item))
      const left = giveUpAt - Date.now()
      if (taken.length > 0 || left <= 0) {
        this.#held = this.#held.filter((item) => this.#isPaused(item))
        return taken
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left)
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }

  #isPaused({ topic, partition }: T): boolean {
    return this.#paused.has(`${topic} ${partition}`)
  }
}
