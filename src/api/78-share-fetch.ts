// ShareFetch: a member gives back what it is done with and takes what is free. One that finds nothing is parked on its
// partitions, and looks again when one of them grows or somebody gives records back.

import { Refusal } from '../../protocol/errors.ts'
import { shareFetch } from '../../protocol/messages/78-share-fetch.ts'
import { type Element, emptyBytes, type Request, type Response } from '../../protocol/schema.ts'
import type { Acquired } from '../share/acquisition.ts'
import { type Portion, readableBytes, take } from '../share/reading.ts'
import { finalEpoch, type SessionPartition, type SessionRequest } from '../share/sessions.ts'
import type { Shared } from '../share/shares.ts'
import { type Context, serve } from './api.ts'
import { withinQuota } from './consumer-quota.ts'
import {
  type Acknowledged,
  acknowledgeAll,
  endpointsTold,
  leaderTold,
  readShareRequest,
  refuseToRead,
  told,
} from './share-acknowledgements.ts'
import { refuseShares } from './share-served.ts'

type ShareFetchRequest = Request<typeof shareFetch>
type ShareFetchResponse = Response<typeof shareFetch>
type TopicAnswer = Element<ShareFetchResponse, 'responses'>
type PartitionAnswer = Element<TopicAnswer, 'partitions'>

/** Codes of ShareAcquireMode (KIP-1206). */
const acquireModes = ['batch_optimized', 'record_limit'] as const

/** A partition of the session, and what became of it in this request. */
type Wanted = { readonly of: SessionPartition; readonly shared: Shared | Refusal }
type Gathered = { readonly of: SessionPartition; readonly found: Portion | Refusal | undefined }

const refused = (error: Refusal): ShareFetchResponse => ({
  errorCode: error.code,
  acquisitionLockTimeoutMs: 0,
  responses: [],
  nodeEndpoints: [],
})

/** What stands against a request before its session is looked at. */
function refuse(request: ShareFetchRequest, hasAcknowledgements: boolean): Refusal | undefined {
  const { isRenewAck, maxBytes, minBytes, maxRecords, maxWaitMs, shareSessionEpoch } = request
  // KIP-1222: a member that lengthens its locks does not want more records.
  const fetches = maxBytes > 0 || minBytes > 0 || maxRecords > 0 || maxWaitMs > 0
  if (isRenewAck && fetches) return new Refusal('INVALID_REQUEST')
  return shareSessionEpoch === 0 && hasAcknowledgements ? new Refusal('INVALID_REQUEST') : undefined
}

/** One look at all partitions of the session. */
function gather(request: ShareFetchRequest, member: SessionRequest, wanted: readonly Wanted[], context: Context) {
  const settings = context.shares.settings(member.groupId)
  const isStrict = acquireModes[request.shareAcquireMode] === 'record_limit'
  const gathered: Gathered[] = []
  let recordsLeft = request.maxRecords
  let bytesLeft = Math.min(request.maxBytes, context.broker.config.number('fetch.max.bytes'))
  for (const { of, shared } of wanted) {
    if (shared instanceof Refusal) gathered.push({ of, found: shared })
    else if (shared.partition.leader !== member.node || shared.share.isRemoved)
      gathered.push({ of, found: new Refusal('NOT_LEADER_OR_FOLLOWER') })
    else if (recordsLeft > 0 && bytesLeft > 0) {
      const { memberId } = member
      const wish = { memberId, recordsMax: recordsLeft, batchSize: Math.max(1, request.batchSize), isStrict }
      const found = take(shared.share, shared.partition, wish, bytesLeft, settings)
      if (found !== undefined) gathered.push({ of, found })
      if (found === undefined || found instanceof Refusal) continue
      recordsLeft -= countOf(found.acquired)
      bytesLeft -= found.bytes.length
    }
  }
  return gathered
}

const countOf = (acquired: readonly Acquired[]): number =>
  acquired.reduce((sum, { firstOffset, lastOffset }) => sum + lastOffset - firstOffset + 1, 0)

/** Whether as much lies there as the member waits for. Most wait for a byte: then taking it is asking for it. */
function isEnough(
  { minBytes, maxBytes }: ShareFetchRequest,
  wanted: readonly Wanted[],
  groupId: string,
  context: Context,
) {
  if (minBytes <= 1) return true
  const settings = context.shares.settings(groupId)
  let byteCount = 0
  for (const { shared } of wanted) {
    if (shared instanceof Refusal || shared.share.isRemoved) return true
    byteCount += readableBytes(shared.share, shared.partition, maxBytes, settings)
    if (byteCount >= minBytes) return true
  }
  return false
}

/** Looks until there is something to say, the time is up or the member is gone. */
function look(
  request: ShareFetchRequest,
  member: SessionRequest,
  wanted: readonly Wanted[],
  context: Context,
): Gathered[] | Promise<Gathered[]> {
  const attempt = () =>
    isEnough(request, wanted, member.groupId, context) ? gather(request, member, wanted, context) : []
  // Nobody would get what is taken now.
  const gathered = context.closing.hasBegun ? [] : attempt()
  if (gathered.length > 0 || request.maxWaitMs <= 0 || wanted.length === 0 || context.closing.hasBegun) return gathered
  return new Promise((resolve, reject) => {
    let isDue = false
    const stops: (() => void)[] = []
    const end = (found: Gathered[]) => {
      for (const stop of stops) stop()
      stops.length = 0
      resolve(found)
    }
    // Several events of one turn are one look.
    const wake = () => {
      if (isDue || stops.length === 0) return
      isDue = true
      process.nextTick(() => {
        isDue = false
        if (stops.length === 0) return
        try {
          const found = attempt()
          if (found.length > 0) end(found)
        } catch (cause) {
          end([])
          reject(cause)
        }
      })
    }
    for (const { shared } of wanted) {
      if (shared instanceof Refusal) continue
      stops.push(shared.partition.onAdvance(wake), shared.share.onAvailable(wake))
    }
    const timer = context.broker.clock.after(request.maxWaitMs, () => {
      end(request.minBytes > 1 ? gather(request, member, wanted, context) : [])
    })
    const giveUp = () => end([])
    stops.push(() => timer.cancel(), context.closing.onBegin(giveUp))
  })
}

const answerOf = (partitionIndex: number): PartitionAnswer => ({
  partitionIndex,
  errorCode: 0,
  acknowledgeErrorCode: 0,
  currentLeader: { leaderId: 0, leaderEpoch: 0 },
  records: emptyBytes,
  acquiredRecords: [],
})

function answer(
  shown: readonly SessionPartition[],
  gathered: readonly Gathered[],
  acknowledged: readonly Acknowledged[],
  context: Context,
): TopicAnswer[] {
  const topics = new Map<string, Map<number, PartitionAnswer>>()
  const at = ({ topicId, partition }: SessionPartition): PartitionAnswer => {
    const partitions = topics.get(topicId) ?? new Map<number, PartitionAnswer>()
    topics.set(topicId, partitions)
    const of = partitions.get(partition) ?? answerOf(partition)
    partitions.set(partition, of)
    return of
  }
  for (const of of shown) at(of)
  for (const { of, found } of gathered) {
    if (found === undefined) continue
    if (found instanceof Refusal) {
      Object.assign(at(of), { errorCode: found.code, currentLeader: leaderTold(of, found, context) })
    } else Object.assign(at(of), { records: found.bytes, acquiredRecords: found.acquired })
  }
  for (const { of, refusal } of acknowledged) {
    const partition = at(of)
    if (refusal === undefined) continue
    partition.acknowledgeErrorCode = refusal.code
    partition.acknowledgeErrorMessage = told(refusal)
    if (partition.errorCode === 0) partition.currentLeader = leaderTold(of, refusal, context)
  }
  return [...topics].map(([topicId, partitions]) => ({ topicId, partitions: [...partitions.values()] }))
}

export const shareFetchApi = serve(shareFetch, [1, 2], async (asked, context) => {
  const request = withinQuota(asked, context)
  const { shares } = context
  const read = refuseShares(context) ?? readShareRequest(request, context)
  if (read instanceof Refusal) return refused(read)
  const { member, acknowledgements } = read
  const refusal = refuse(request, acknowledgements.length > 0)
  if (refusal !== undefined) return refused(refusal)
  const admitted = shares.sessions.admit(member, context.closing)
  if (admitted !== 'NONE') return refused(new Refusal(admitted))
  const acknowledging = acknowledgeAll(member, acknowledgements, request.isRenewAck, context)
  const shape = (...found: [readonly SessionPartition[], readonly Gathered[], readonly Acknowledged[]]) => {
    const responses = answer(...found, context)
    const acquisitionLockTimeoutMs = shares.settings(member.groupId).lockMs
    return { errorCode: 0, acquisitionLockTimeoutMs, responses, nodeEndpoints: endpointsTold(responses, context) }
  }
  if (member.epoch === finalEpoch) {
    const acknowledged = await acknowledging
    await shares.release(member)
    return shape([], [], acknowledged)
  }
  const added = shares.sessions.change(member, read.wanted, forgottenIn(request))
  const fetches = !request.isRenewAck && request.maxRecords > 0
  const inSession = shares.sessions.partitions(member)
  const partitions = fetches ? inSession : []
  const acknowledged = await acknowledging
  // As the real broker: how records are to be taken is looked at where there is something to take them from.
  const isOdd = inSession.length > 0 && acquireModes[request.shareAcquireMode] === undefined
  if (isOdd) return refused(new Refusal('UNKNOWN_SERVER_ERROR'))
  const share = async (of: SessionPartition) => refuseToRead(of, context) ?? (await shares.shared(member, of))
  const wanted = await Promise.all(partitions.map(async (of) => ({ of, shared: await share(of) })))
  const gathered = await look(request, member, wanted, context)
  context.onSent(() => {
    for (const { found } of gathered) if (found !== undefined && !(found instanceof Refusal)) found.release()
  })
  // As the real broker: a partition that is new to the session is shown, if there is nothing else to show.
  const shown = fetches && gathered.length === 0 ? added : []
  return shape(shown, gathered, acknowledged)
})

const forgottenIn = ({ forgottenTopicsData }: ShareFetchRequest): SessionPartition[] =>
  forgottenTopicsData.flatMap(({ topicId, partitions }) => partitions.map((partition) => ({ topicId, partition })))
