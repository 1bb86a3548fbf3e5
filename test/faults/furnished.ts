// A broker that has something of everything on its disk, and what its clients see of it: the ground on which files are damaged.

import { setTimeout as pause } from 'node:timers/promises'
import { errorName } from '../../protocol/errors.ts'
import { fetch } from '../../protocol/messages/01-fetch.ts'
import { listOffsets } from '../../protocol/messages/02-list-offsets.ts'
import { metadata } from '../../protocol/messages/03-metadata.ts'
import { offsetFetch } from '../../protocol/messages/09-offset-fetch.ts'
import * as batch from '../../protocol/records/batch.ts'
import { readRecords } from '../../protocol/records/record.ts'
import { FaultyStore } from '../../src/storage/faulty-file.ts'
import { Stage } from '../branch/stage.ts'
import { eventually } from '../eventually.ts'
import { revisionOf } from '../revision/packs.ts'
import { view } from '../revision/stage.ts'
import { WireProducer } from '../transaction/wire-producer.ts'
import { WireClient } from '../wire-client.ts'

export const config = {
  'offsets.topic.num.partitions': 2,
  'transaction.state.log.num.partitions': 2,
  'log.cleaner.enable': false,
}

/**
 * What a client was told of something: a partition's records, a group's commits. `refused`: an error code instead; `damaged`: bytes
 * that fail the client's checksum; `stuck`: neither records nor an error.
 */
export type Told =
  | { readonly records: readonly string[] }
  | { readonly refused: string }
  | { readonly damaged: true }
  | { readonly stuck: true }
/** By `topic-partition`, and by group; and the ids of topics, which are the names of their folders. */
export type Picture = { readonly told: Map<string, Told>; readonly ids: Map<string, string> }

/** Segments close with every produce, as soon as a millisecond has gone. */
async function later(): Promise<void> {
  const before = Date.now()
  while (Date.now() <= before + 1) await pause(1)
}

export type Furnished = { readonly stopped: FaultyStore; readonly killed: FaultyStore }

/** Topics of every kind, groups, transactions, a branch, a pack and a view: as a clean stop leaves them, and as a kill does. */
export async function furnish(): Promise<Furnished> {
  const store = new FaultyStore()
  const stage = await Stage.open({ storage: store, config })
  const small = { 'segment.ms': 1 }
  await stage.create('plain', 2, small)
  await stage.create('other', 1, small)
  const revision = { 'revision.diff': true, 'revision.pack.lag.ms': 0, 'revision.keep': 'last:3' }
  await stage.create('docs', 1, { ...small, ...revision })
  for (let round = 0; round < 5; round++) {
    for (const topic of ['plain', 'other']) {
      const values = [1, 2, 3].map((i) => ({ key: `k${i}`, value: `${topic} ${round} ${i}`.padEnd(60, '.') }))
      await stage.send(topic, values)
    }
    await stage.send('plain', [`one ${round}`, `two ${round}`], 1)
    const values = ['a', 'b'].map((key) => ({ key, value: revisionOf(key, round, 300) }))
    await stage.send('docs', values)
    await later()
  }
  const transactional = await WireProducer.open(stage.broker.bootstrapServers, 'tx')
  for (const outcome of ['commit', 'abort', 'commit'] as const) {
    await transactional.send('plain', 0, `${outcome} 1`, `${outcome} 2`)
    await transactional.sendOffset('g', 'plain', 7)
    await transactional.end(outcome)
    await later()
  }
  transactional.close()
  await stage.fork('plain', 'plain--try', small)
  await stage.send('plain--try', ['own', 'own too'])
  await later()
  await stage.send('plain--try', ['own at last'])
  await stage.commit('h', 'plain', 3)
  await stage.send('docs', [{ key: 'c', value: revisionOf('c', 0, 300) }])
  // What is closed is packed soon.
  const isPacked = () => namesIn(store).some((path) => path.endsWith('.pack'))
  await eventually(() => expectTrue(isPacked()))
  await view(stage, 'docs', 'list', 'docs-list')
  const killed = store.after('kill')
  await stage[Symbol.asyncDispose]()
  return { stopped: store.after('kill'), killed }
}

function expectTrue(holds: boolean): void {
  if (!holds) throw new Error('not yet')
}

/** Every file of a store. */
export function namesIn(store: FaultyStore, folder = ''): string[] {
  return store.list(folder).flatMap((name) => {
    const path = folder === '' ? name : `${folder}/${name}`
    return store.exists(path) ? [path] : namesIn(store, path)
  })
}

/** Asks for everything there is, as a client that believes no checksum but its own. */
export async function pictureOf(bootstrap: string): Promise<Picture> {
  const wire = await WireClient.open(bootstrap)
  try {
    const told = new Map<string, Told>()
    const ids = new Map<string, string>()
    const { topics } = await wire.ask(metadata, 12, { topics: null, allowAutoTopicCreation: false })
    for (const { name, topicId, partitions } of topics) {
      ids.set(String(topicId), name!)
      if (name!.startsWith('__') && name !== '__branches') continue
      for (const { partitionIndex } of partitions) {
        told.set(`${name}-${partitionIndex}`, await toldOf(wire, name!, partitionIndex))
      }
    }
    for (const groupId of ['g', 'h']) told.set(`group ${groupId}`, await commitsOf(wire, groupId))
    return { told, ids }
  } finally {
    wire.close()
  }
}

/** What a view tells of how a value lies on the disk: packing goes on. */
const asPacked = /"stored":\d+,"format":"\w+",/

async function toldOf(wire: WireClient, topic: string, partition: number): Promise<Told> {
  const bounds: number[] = []
  for (const timestamp of [-2, -1]) {
    const partitions = [{ partitionIndex: partition, timestamp }]
    const answer = await wire.ask(listOffsets, 5, {
      replicaId: -1,
      isolationLevel: 1,
      topics: [{ name: topic, partitions }],
    })
    const { errorCode, offset } = answer.topics[0]!.partitions[0]!
    if (errorCode !== 0) return { refused: errorName(errorCode) }
    bounds.push(offset)
  }
  const [start, end] = bounds as [number, number]
  const records: string[] = [`from ${start} to ${end}`]
  for (let offset = start; offset < end; ) {
    const partitions = [{ partition, fetchOffset: offset, partitionMaxBytes: 1 << 20 }]
    const body = { maxWaitMs: 0, minBytes: 0, isolationLevel: 1, topics: [{ topic, partitions }] }
    const told = (await wire.ask(fetch, 11, body)).responses[0]!.partitions[0]!
    if (told.errorCode !== 0) return { refused: errorName(told.errorCode) }
    const bytes = told.records === null ? Buffer.alloc(0) : Buffer.from(told.records as Buffer)
    const from = offset
    const aborted = told.abortedTransactions ?? []
    records.push(...aborted.map(({ producerId, firstOffset }) => `aborted ${producerId} ${firstOffset}`))
    for (const at of batch.iterateBatches(bytes)) {
      if (!batch.crcMatches(bytes, at)) return { damaged: true }
      for (const { offset: of, key, value } of readRecords(bytes, at)) {
        if (of >= offset) records.push(`${of} ${key} ${String(value).replace(asPacked, '')}`)
      }
      offset = Math.max(offset, batch.nextOffset(bytes, at))
    }
    if (offset === from) return { stuck: true }
  }
  return { records }
}

async function commitsOf(wire: WireClient, groupId: string): Promise<Told> {
  const topics = [{ name: 'plain', partitionIndexes: [0, 1] }]
  const answer = await wire.ask(offsetFetch, 5, { groupId, topics })
  if (answer.errorCode !== 0) return { refused: errorName(answer.errorCode) }
  return { records: answer.topics[0]!.partitions.map((one) => `${one.committedOffset} ${errorName(one.errorCode)}`) }
}
