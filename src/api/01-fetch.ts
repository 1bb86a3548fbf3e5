// Fetch: views of the log, gathered until there are enough bytes or enough time has passed, and let go when the socket
// has taken them. A fetch that finds too little is parked on its partitions and looks again when one of them advances.

import { errors, Refusal } from '../../protocol/errors.ts'
import { fetch } from '../../protocol/messages/01-fetch.ts'
import { type Element, emptyBytes, type Request, type Response } from '../../protocol/schema.ts'
import { bring } from '../broker/cold.ts'
import type { Partition } from '../broker/partition.ts'
import type { Lease } from '../storage/file.ts'
import { type Context, serve } from './api.ts'
import { withinQuota } from './consumer-quota.ts'
import type { FetchScope, Wanted } from './fetch-session.ts'
import { checkLeader, currentLeader, endpointsOf } from './leader-epoch.ts'
import { mayMeanAnother } from './renamed.ts'

type FetchRequest = Request<typeof fetch>
type PartitionAnswer = Element<Element<Response<typeof fetch>, 'responses'>, 'partitions'>
type Gathered = { wanted: Wanted; answer: PartitionAnswer; lease: Lease | undefined }

const readCommitted = 1

function partitionOf(wanted: Wanted, context: Context): Partition | Refusal {
  const { broker, version } = context
  const { topic, request } = wanted
  const byId = version >= 13
  const found = byId ? broker.topicById(topic) : broker.topic(topic)
  if (byId && found?.renamedAt !== undefined && mayMeanAnother(found, context)) return new Refusal('UNKNOWN_TOPIC_ID')
  if (context.rights !== undefined) {
    const name = found?.name ?? (byId ? wanted.name : topic)
    if (name !== undefined && !context.rights.topic('READ', name)) return new Refusal('TOPIC_AUTHORIZATION_FAILED')
  }
  if (found === undefined) {
    if (!byId) return new Refusal('UNKNOWN_TOPIC_OR_PARTITION')
    // As the real broker: a session knows the name of an id that is gone, and looks who bears it now.
    if (wanted.name === undefined) return new Refusal('UNKNOWN_TOPIC_ID')
    return new Refusal(broker.topic(wanted.name) ? 'INCONSISTENT_TOPIC_ID' : 'UNKNOWN_TOPIC_OR_PARTITION')
  }
  wanted.name = found.name
  return found.partitions[request.partition] ?? new Refusal('UNKNOWN_TOPIC_OR_PARTITION')
}

const withoutLook: ReadonlySet<number> = new Set([
  errors.UNKNOWN_TOPIC_OR_PARTITION.code,
  errors.UNKNOWN_TOPIC_ID.code,
  errors.TOPIC_AUTHORIZATION_FAILED.code,
])

/** Refused before anybody looked at a log. */
const isUnseen = ({ errorCode }: PartitionAnswer): boolean => withoutLook.has(errorCode!)

const empty = (partitionIndex: number) => ({
  partitionIndex,
  errorCode: 0,
  highWatermark: -1,
  lastStableOffset: -1,
  logStartOffset: -1,
  abortedTransactions: null,
  records: emptyBytes,
})

/** KIP-951: who asks the wrong node is told the right one, and who knows an old leader the new one. */
function misled(index: number, refusal: Refusal, partition: Partition, version: number): PartitionAnswer {
  const answer = failed(index, refusal)
  const known = version >= 16 && (refusal.error === 'NOT_LEADER_OR_FOLLOWER' || refusal.error === 'FENCED_LEADER_EPOCH')
  return known ? { ...answer, currentLeader: currentLeader(partition) } : answer
}

function failed(partitionIndex: number, { code: errorCode }: Refusal): PartitionAnswer {
  const answer = { ...empty(partitionIndex), errorCode }
  return isUnseen(answer) ? { ...answer, abortedTransactions: [] } : answer
}

function readOne(
  wanted: Wanted,
  bytesMax: number,
  wholeFirst: boolean,
  committed: boolean,
  context: Context,
): Gathered {
  const { partition: index, fetchOffset, lastFetchedEpoch, currentLeaderEpoch } = wanted.request
  const fail = (refusal: Refusal): Gathered => ({ wanted, answer: failed(index, refusal), lease: undefined })
  const partition = partitionOf(wanted, context)
  if (partition instanceof Refusal) return fail(partition)
  // Here, and only here, a real broker takes every epoch below 0 for none.
  const epoch = Math.max(-1, currentLeaderEpoch)
  // KIP-392: from version 11 on consumers may read from followers.
  const wrong = checkLeader(epoch, partition, context.node, context.version >= 11)
  if (wrong !== undefined) return { wanted, answer: misled(index, wrong, partition, context.version), lease: undefined }
  const parting = lastFetchedEpoch < 0 ? undefined : partition.parting(lastFetchedEpoch, fetchOffset)
  if (parting instanceof Refusal) return fail(parting)
  if (parting !== undefined) {
    const { highWatermark, lastStableOffset, logStartOffset } = partition
    const divergingEpoch = { epoch: parting[0], endOffset: parting[1] }
    const answer = { ...empty(index), highWatermark, lastStableOffset, logStartOffset, divergingEpoch }
    return { wanted, answer, lease: undefined }
  }
  const read = partition.read(fetchOffset, Math.max(0, bytesMax), committed, wholeFirst)
  if (read instanceof Refusal) return fail(read)
  const { lease, highWatermark, lastStableOffset, logStartOffset, aborted } = read
  // As a real broker: where the next batch had no room behind what other partitions gave, nothing is said of transactions.
  const hadNoRoom = lease.bytes.length === 0 && bytesMax > 0 && fetchOffset < lastStableOffset
  const answer: PartitionAnswer = {
    partitionIndex: index,
    errorCode: 0,
    highWatermark,
    lastStableOffset,
    logStartOffset,
    abortedTransactions: hadNoRoom ? null : (aborted ?? null),
    records: lease.bytes,
  }
  return { wanted, answer, lease }
}

type Round = { gathered: Gathered[]; byteCount: number; urgent: boolean; coming: Promise<void> | undefined }

/**
 * One look at all partitions. `urgent`: something has to be said at once. `coming`: with `mayWait`, the look ended at
 * records that are not in memory, for the whole broker would wait for the disk.
 */
function gather(request: FetchRequest, scope: FetchScope, context: Context, mayWait = false): Round {
  const committed = request.isolationLevel === readCommitted
  const round: Round = { gathered: [], byteCount: 0, urgent: false, coming: undefined }
  const roundBytesMax = Math.min(request.maxBytes, context.broker.config.number('fetch.max.bytes'))
  for (const wanted of scope.wanted) {
    const left = roundBytesMax - round.byteCount
    const bytesMax = Math.min(left, wanted.request.partitionMaxBytes)
    // The first batch of the first partition that has one comes whole, however large (KIP-74): or nobody could go on.
    if (mayWait) round.coming = comingOf(wanted, bytesMax, context)
    if (round.coming !== undefined) return round
    const one = readOne(wanted, bytesMax, round.byteCount === 0, committed, context)
    round.gathered.push(one)
    round.byteCount += one.lease?.bytes.length ?? 0
    if (one.answer.errorCode !== 0 || one.answer.divergingEpoch !== undefined) round.urgent = true
  }
  return round
}

function comingOf({ topic, request }: Wanted, bytesMax: number, { broker, version }: Context) {
  const found = version >= 13 ? broker.topicById(topic) : broker.topic(topic)
  const partition = found?.partitions[request.partition]
  return partition === undefined ? undefined : bring(partition, request.fetchOffset, bytesMax)
}

function release({ gathered }: Round): void {
  for (const { lease } of gathered) lease?.release()
}

function answer(round: Round, scope: FetchScope, context: Context): Response<typeof fetch> {
  context.onSent(() => release(round))
  const topics: { topic: string; partitions: PartitionAnswer[] }[] = []
  for (const { wanted, answer: partition, lease } of unseenLast(round.gathered)) {
    const { highWatermark, logStartOffset = -1 } = partition
    const [failed, diverges] = [partition.errorCode !== 0, partition.divergingEpoch !== undefined]
    const told = { highWatermark, logStartOffset, failed, diverges, byteCount: lease?.bytes.length ?? 0 }
    if (!scope.tells(wanted, told)) continue
    // A topic stands there as often as the request comes back to it: the order of partitions is what clients rely on.
    const last = topics.at(-1)
    if (last?.topic === wanted.topic) last.partitions.push(partition)
    else topics.push({ topic: wanted.topic, partitions: [partition] })
  }
  const byId = context.version >= 13
  const leaders = round.urgent ? topics.flatMap(({ partitions }) => partitions.map(leaderTold)) : []
  return {
    sessionId: scope.sessionId,
    nodeEndpoints: leaders.length > 0 ? endpointsOf(leaders, context) : [],
    responses: byId ? topics.map(({ topic, partitions }) => ({ topicId: topic, partitions })) : topics,
  }
}

const leaderTold = ({ currentLeader: told }: PartitionAnswer): number => told?.leaderId ?? -1

/** In the order of the request, as a real broker: behind the others what is not there for the client, ids of no topic first. */
function unseenLast(gathered: Gathered[]): Gathered[] {
  if (!gathered.some(({ answer }) => isUnseen(answer))) return gathered
  const rank = ({ answer }: Gathered) => {
    if (!isUnseen(answer)) return 0
    return answer.errorCode === errors.UNKNOWN_TOPIC_ID.code ? 1 : 2
  }
  return [...gathered].sort((one, other) => rank(one) - rank(other))
}

/**
 * Looks again whenever a partition advances, until there is enough, the time is up or the client is gone. While it waits
 * it holds no bytes: a client may park many requests that ask for more than will ever come.
 */
function park(request: FetchRequest, scope: FetchScope, context: Context): Promise<Response<typeof fetch>> {
  return new Promise((resolve, reject) => {
    let looking = false
    let ended = false
    const end = () => {
      ended = true
      timer.cancel()
      for (const stop of stops) stop()
      forget()
    }
    const look = (asked: FetchRequest, last: boolean) => {
      if (ended) return
      looking = false
      try {
        const round = gather(asked, scope, context)
        if (last || round.urgent || round.byteCount >= request.minBytes) {
          end()
          resolve(answer(round, scope, context))
        } else release(round)
      } catch (cause) {
        end()
        reject(cause)
      }
    }
    // Several appends of one turn are one look.
    const wake = () => {
      if (looking) return
      looking = true
      process.nextTick(() => look(request, false))
    }
    // Perhaps nobody reads the answer: it says how things stand and brings no more than it must.
    const giveUp = () => look({ ...request, maxBytes: 0 }, true)
    const stops = scope.wanted.flatMap((wanted) => {
      const partition = partitionOf(wanted, context)
      return partition instanceof Refusal ? [] : [partition.onAdvance(wake)]
    })
    const timer = context.broker.clock.after(request.maxWaitMs, () => look(request, true))
    const forget = context.closing.onBegin(giveUp)
  })
}

export const fetchApi = serve(fetch, [4, 18], (asked, context) => {
  const request = withinQuota(asked, context)
  const scope = context.sessions.open(request, context.version)
  if (typeof scope === 'string') return { errorCode: errors[scope].code, sessionId: 0, responses: [] }
  const round = gather(request, scope, context, true)
  return round.coming === undefined ? begin(round, request, scope, context) : broughtAll(round, request, scope, context)
})

/** Each partition is waited for once: memory may be so short that the first goes again while the last comes. */
async function broughtAll(cold: Round, request: FetchRequest, scope: FetchScope, context: Context) {
  let round = cold
  for (let left = scope.wanted.length; round.coming !== undefined; left--) {
    release(round)
    await round.coming
    round = gather(request, scope, context, left > 1)
  }
  return begin(round, request, scope, context)
}

function begin(round: Round, request: FetchRequest, scope: FetchScope, context: Context) {
  const enough = round.urgent || round.byteCount >= request.minBytes || request.maxWaitMs <= 0
  if (enough || scope.wanted.length === 0 || context.closing.hasBegun) return answer(round, scope, context)
  release(round)
  return park(request, scope, context)
}
