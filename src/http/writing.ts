// Writes go the way of Produce, acks=all: leaders, protection, gates, commands and sizes are judged there and nowhere else.

import type { produce } from '../../protocol/messages/00-produce.ts'
import { encodeBatch } from '../../protocol/records/builder.ts'
import type { NewRecord } from '../../protocol/records/record.ts'
import { type Request, type Response, zeroUuid } from '../../protocol/schema.ts'
import { produceApi } from '../api/00-produce.ts'
import type { Context } from '../api/api.ts'
import { noLeader } from '../broker/leadership.ts'
import type { Topic } from '../broker/topic.ts'
import { type Asked, principal } from './asked.ts'
import { type Problem, problemOfCode } from './problem.ts'

/** By which quotas and logs know us. */
const clientId = 'http'
/** Names topics, and brings no partition into a transaction. */
const version = 11

export type Batch = { readonly partition: number; readonly records: readonly (NewRecord & { timestamp: number })[] }
export type Written = {
  readonly partition: number
  readonly baseOffset: number
  readonly timestamp: number | undefined
}

/** Nobody hangs up on us: what is written is written. */
const neverCloses: Context['closing'] = { hasBegun: false, onBegin: () => () => {} }

function contextOf(asked: Asked, node: number): Context {
  const { broker, groups, transactions, branches, sessions, shares, listener } = asked.rooms
  const branch = asked.text('branch')
  const client = { listener, host: asked.peer, principal, softwareName: 'http', softwareVersion: '1' }
  return {
    ...{ broker, groups, transactions, branches, sessions, shares, client, clientId, node, version },
    ...(branch !== undefined && broker.lineage.sets.has(branch) ? { entered: branch } : {}),
    onSent: () => {},
    closing: neverCloses,
  }
}

type Outcome = Written | Problem

function outcomesOf(answer: Response<typeof produce>): Outcome[] {
  return (answer.responses ?? []).flatMap(({ partitionResponses }) =>
    (partitionResponses ?? []).map(({ index, errorCode, errorMessage, recordErrors, baseOffset, logAppendTimeMs }) => {
      if (errorCode === 0)
        return {
          partition: index!,
          baseOffset: baseOffset!,
          timestamp: logAppendTimeMs === -1 ? undefined : logAppendTimeMs,
        }
      const said = recordErrors?.[0]?.batchIndexErrorMessage ?? errorMessage ?? null
      return problemOfCode(errorCode!, said)
    }),
  )
}

/**
 * Appends batches, one a partition; an outcome for each. What is not gated is appended in this turn, before anything is
 * waited for. Answers when that is as durable as the topic promises.
 */
export function write(asked: Asked, topic: Topic, batches: readonly Batch[]): Promise<Outcome[]> {
  const byLeader = new Map<number, Batch[]>()
  for (const batch of batches) {
    const { leader } = topic.partitions[batch.partition]!
    // Where nobody leads any node says so.
    const node = leader === noLeader ? asked.rooms.broker.nodeId : leader
    byLeader.set(node, [...(byLeader.get(node) ?? []), batch])
  }
  const answers = [...byLeader].map(([node, ofNode]) => {
    const partitionData = ofNode.map(({ partition, records }) => ({
      index: partition,
      records: encodeBatch({ records }),
    }))
    const topicData = [{ name: topic.name, topicId: zeroUuid, partitionData }]
    const request: Request<typeof produce> = { transactionalId: null, acks: -1, timeoutMs: 30_000, topicData }
    const answer = produceApi.handle(request as never, contextOf(asked, node))
    return Promise.resolve(answer as Response<typeof produce> | Promise<Response<typeof produce>>)
  })
  return Promise.all(answers).then((all) => inOrder(batches, all.flatMap(outcomesOf), byLeader))
}

/** As the batches were given. */
function inOrder(batches: readonly Batch[], outcomes: Outcome[], byLeader: ReadonlyMap<number, Batch[]>): Outcome[] {
  const asked = [...byLeader.values()].flat()
  const byBatch = new Map(asked.map((batch, i) => [batch, outcomes[i]!]))
  return batches.map((batch) => byBatch.get(batch)!)
}

/** Who writes more than its quota gives waits for its answer. */
export async function throttled(asked: Asked, byteCount: number): Promise<void> {
  const { broker } = asked.rooms
  if (!broker.throttle.isOn) return
  const owedMs = broker.throttle.charge('producer_byte_rate', { principal, clientId }, byteCount)
  if (owedMs > 0) await new Promise<void>((resolve) => broker.clock.after(owedMs, resolve))
}

/** The same of who reads; answers how long to wait, ms. */
export const readingCosts = ({ broker }: Asked['rooms'], byteCount: number): number =>
  broker.throttle.isOn ? broker.throttle.charge('consumer_byte_rate', { principal, clientId }, byteCount) : 0
