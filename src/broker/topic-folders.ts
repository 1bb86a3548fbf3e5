// Where topics lie in the store: a folder each, named by the id; and what a kill may have left there half done.

import type { Forwarded } from '../branch/merge-records.ts'
import type { Store } from '../storage/file.ts'

/** Around the folders of all topics. */
export const topicsFolder = 'topics'
/** Folder of a topic's partitions. */
export const topicFolder = (id: string): string => `${topicsFolder}/${id}`

const forkedEnding = '.tmp'
/** Where a branch is put together before it exists. */
export const forkedFolder = (id: string): string => `${topicFolder(id)}${forkedEnding}`

/**
 * The branch exists: its folder gets its name. One that shares nothing and has nothing of its own has none; nobody looks where
 * it is known to have something.
 */
export function nameForked(store: Store, id: string, hasFiles = store.list(forkedFolder(id)).length > 0): void {
  if (hasFiles) store.rename(forkedFolder(id), topicFolder(id), true)
  else store.removeFolder(forkedFolder(id))
}

/** For a start: branches that the metadata log knows get their names, others were never made. */
export function finishForks(store: Store, isKnown: (id: string) => boolean): void {
  for (const name of store.list('topics').filter((each) => each.endsWith(forkedEnding))) {
    const id = name.slice(0, -forkedEnding.length)
    if (isKnown(id)) nameForked(store, id)
    else store.removeFolder(forkedFolder(id))
  }
}

const forwardedEnding = '.forward'
/** Files whose place was taken: they go when there is time for it. */
const goneEnding = '.gone'
/** Where the files of a fast-forward are put together. */
export const forwardedFolder = (id: string, token: string): string => `${topicFolder(id)}.${token}${forwardedEnding}`

/** They take the place of the topic's own, which have nothing that they have not: of `count` partitions, not of any that came meanwhile. */
export function nameForwarded(store: Store, id: string, token: string, count: number): void {
  const folder = forwardedFolder(id, token)
  if (store.list(folder).length === 0) return
  const gone = `${folder}${goneEnding}`
  const own = store.list(topicFolder(id))
  for (const name of own.filter((each) => Number.parseInt(each, 10) >= count)) {
    store.rename(`${topicFolder(id)}/${name}`, `${folder}/${name}`)
  }
  const isThere = own.length > 0
  if (isThere) store.rename(topicFolder(id), gone)
  store.rename(folder, topicFolder(id))
  if (isThere) store.discardFolder(gone).catch((cause: unknown) => console.error(`${gone} stays: ${String(cause)}`))
}

/** For a start: what the metadata log knows of a topic takes its place, other leftovers go. */
export function finishForwards(store: Store, forwardedOf: (id: string) => Forwarded | undefined): void {
  for (const name of store.list('topics').filter((each) => each.endsWith(goneEnding))) {
    store.removeFolder(`topics/${name}`)
  }
  for (const name of store.list('topics').filter((each) => each.endsWith(forwardedEnding))) {
    const [id = '', token = ''] = name.slice(0, -forwardedEnding.length).split('.')
    const forwarded = forwardedOf(id)
    if (forwarded?.folder === token) nameForwarded(store, id, token, forwarded.partitions.length)
    else store.removeFolder(forwardedFolder(id, token))
  }
}

/** Folders of deleted topics go one after the other, beside everything else; what a kill leaves of them the next start takes. */
export class Disposal {
  readonly #store: Store
  #last: Promise<void> = Promise.resolve()

  constructor(store: Store) {
    this.#store = store
  }

  /** Resolves when they are gone. Rejects with StorageError, the others being gone all the same. */
  remove(ids: readonly string[]): Promise<void> {
    const removed = ids.map((id) => {
      const gone = this.#last.then(() => this.#store.discardFolder(topicFolder(id)))
      this.#last = gone.catch(() => {}) // Whoever asked for it is told.
      return gone
    })
    return Promise.all(removed).then(() => {})
  }

  /** For a start: folders whose topic was deleted before. Any other stays: it may be all that somebody has left. */
  removeOrphans(isKnown: (id: string) => boolean, wasRemoved: (id: string) => boolean): void {
    const orphans = this.#store.list('topics').filter((id) => !isKnown(id))
    for (const id of orphans.filter((each) => !wasRemoved(each))) {
      console.error(`${topicFolder(id)} belongs to no topic; it is left alone.`)
    }
    this.remove(orphans.filter(wasRemoved)).catch((cause: unknown) => {
      console.error(`What is left of deleted topics could not be removed: ${String(cause)}`)
    })
  }

  /** Resolves when nothing is under way any more. */
  end(): Promise<void> {
    return this.#last
  }
}
