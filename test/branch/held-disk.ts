// A disk that is slow at one moment of the work, for as long as a test wants: what clients do meanwhile comes in between.

import { metadata } from '../../protocol/messages/03-metadata.ts'
import type { FaultyStore } from '../../src/storage/faulty-file.ts'
import { WireClient } from '../wire-client.ts'
import type { Stage } from './stage.ts'

export type Moment = {
  /** Resolves when the work has come so far. */
  readonly reached: Promise<void>
  readonly goOn: () => void
  /** What the disk does then. */
  readonly wait: () => Promise<void>
}

export function momentOf(): Moment {
  let reach = () => {}
  let goOn = () => {}
  const reached = new Promise<void>((resolve) => {
    reach = resolve
  })
  const over = new Promise<void>((resolve) => {
    goOn = resolve
  })
  const wait = () => {
    reach()
    return over
  }
  return { reached, goOn: () => goOn(), wait }
}

/** The disk is slow with the first file, or folder, that is meant. */
export function whileOn(store: FaultyStore, isMeant: (path: string, operation: 'flush' | 'sync') => boolean): Moment {
  const moment = momentOf()
  store.slowness = (operation, path) => {
    if (!isMeant(path, operation)) return undefined
    store.slowness = () => undefined
    return moment.wait()
  }
  return moment
}

/** Where the files of a topic lie. */
export async function folderOf({ broker }: Stage, topic: string): Promise<string> {
  const wire = await WireClient.open(broker.bootstrapServers)
  const { topics } = await wire.ask(metadata, 12, { topics: [{ name: topic }], allowAutoTopicCreation: false })
  wire.close()
  return `topics/${topics[0]!.topicId}/`
}
