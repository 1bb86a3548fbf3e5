// A member of a share group on the wire: joins, takes, gives back. Says exactly what it is told, and keeps count of its
// session's epochs itself.

import { incrementalAlterConfigs } from '../../protocol/messages/44-incremental-alter-configs.ts'
import { shareGroupHeartbeat } from '../../protocol/messages/76-share-group-heartbeat.ts'
import { shareFetch } from '../../protocol/messages/78-share-fetch.ts'
import { shareAcknowledge } from '../../protocol/messages/79-share-acknowledge.ts'
import type { Answer } from '../../protocol/schema.ts'
import { errorOf, type Line } from '../api/line.ts'
import type { Body, WireClient } from '../wire-client.ts'

/** First offset, last offset, types: gap 0, accept 1, release 2, reject 3, renew 4. */
export type Said = readonly [first: number, last: number, ...types: number[]]
type Place = readonly [topicId: string, partition: number, ...said: Said[]]

const batchesOf = (said: readonly Said[]) =>
  said.map(([firstOffset, lastOffset, ...acknowledgeTypes]) => ({ firstOffset, lastOffset, acknowledgeTypes }))

const topicsOf = (places: readonly Place[]) =>
  places.map(([topicId, partitionIndex, ...said]) => ({
    topicId,
    partitions: [{ partitionIndex, acknowledgementBatches: batchesOf(said) }],
  }))

export class Sharer {
  readonly client: WireClient
  readonly groupId: string
  readonly memberId: string
  /** Of the session: sent with the next request, and counted up when that was admitted. */
  epoch = 0

  constructor(client: WireClient, memberId: string, groupId = 'workers') {
    this.client = client
    this.memberId = memberId
    this.groupId = groupId
  }

  beat(memberEpoch: number, topics: string[] | null, rackId: string | null = null) {
    const { groupId, memberId } = this
    return this.client.ask(shareGroupHeartbeat, 1, {
      groupId,
      memberId,
      memberEpoch,
      rackId,
      subscribedTopicNames: topics,
    })
  }

  async fetch(places: readonly Place[] = [], options: Partial<Body<typeof shareFetch>> = {}, version = 2) {
    const answer = await this.client.ask(shareFetch, version, {
      groupId: this.groupId,
      memberId: this.memberId,
      shareSessionEpoch: this.epoch,
      maxWaitMs: 0,
      minBytes: 1,
      maxBytes: 1_000_000,
      maxRecords: 500,
      batchSize: 500,
      topics: topicsOf(places),
      forgottenTopicsData: [],
      ...options,
    })
    if (answer.errorCode === 0) this.epoch++
    return answer
  }

  /** What a fetch got: see `shownFetch`. */
  async take(places: readonly Place[] = [], options: Partial<Body<typeof shareFetch>> = {}): Promise<string> {
    return shownFetch(await this.fetch(places, options))
  }

  async acknowledge(places: readonly Place[], options: Partial<Body<typeof shareAcknowledge>> = {}, version = 2) {
    const { groupId, memberId, epoch } = this
    const topics = topicsOf(places)
    const body = { groupId, memberId, shareSessionEpoch: epoch, topics, ...options }
    const answer = await this.client.ask(shareAcknowledge, version, body)
    if (answer.errorCode === 0) this.epoch++
    return answer
  }

  /** What became of an acknowledgement of one partition: the name of the error, of the request or of the partition. */
  async say(topicId: string, partition: number, ...said: Said[]): Promise<string> {
    const answer = await this.acknowledge([[topicId, partition, ...said]])
    return answer.errorCode === 0 ? errorOf(answer.responses[0]!.partitions[0]!) : errorOf(answer)
  }

  /** Ends the session; what was acquired goes to others. */
  async close(): Promise<string> {
    this.epoch = -1
    return this.take()
  }
}

/** `0: 0-9x1 | 1: UNKNOWN_TOPIC_OR_PARTITION | 2: - (INVALID_REQUEST)`: acquired, refused, and what was said of it refused. */
export function shownFetch(answer: Answer<typeof shareFetch>): string {
  if (answer.errorCode !== 0) return errorOf(answer)
  return answer.responses
    .flatMap(({ partitions }) => partitions)
    .map((of) => {
      const acquired = of.acquiredRecords.map((a) => `${a.firstOffset}-${a.lastOffset}x${a.deliveryCount}`).join(' ')
      const refused = of.acknowledgeErrorCode === 0 ? '' : ` (${errorOf({ errorCode: of.acknowledgeErrorCode })})`
      return `${of.partitionIndex}: ${of.errorCode === 0 ? acquired || '-' : errorOf(of)}${refused}`
    })
    .join(' | ')
}

/** Sets a group's own configurations. */
export async function configureGroup(
  line: Pick<Line, 'ask'>,
  groupId: string,
  values: Record<string, string>,
): Promise<void> {
  const configs = Object.entries(values).map(([name, value]) => ({ name, configOperation: 0, value }))
  const resources = [{ resourceType: 32, resourceName: groupId, configs }]
  const { responses } = await line.ask(incrementalAlterConfigs, 1, { resources, validateOnly: false })
  if (responses[0]!.errorCode !== 0) throw new Error(responses[0]!.errorMessage ?? errorOf(responses[0]!))
}

/** A member of a group that reads a topic from its beginning. */
export async function joined(line: Line, topic: string, memberId = 'a', groupId = 'workers'): Promise<Sharer> {
  await configureGroup(line, groupId, { 'share.auto.offset.reset': 'earliest' })
  const sharer = new Sharer(await line.another(), memberId, groupId)
  await sharer.beat(0, [topic])
  return sharer
}
