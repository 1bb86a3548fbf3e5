// GET /topics/{topic}/records: committed records from a place on, so many at a time.

import { Refusal } from '../../protocol/errors.ts'
import type { Partition } from '../broker/partition.ts'
import { type CommittedRecord, readCommitted } from '../command/committed-records.ts'
import type { Asked } from './asked.ts'
import { branchParameter, findPartitions, findTopic, partitionParameter, topicParameter } from './find-topic.ts'
import { beyondEnd, grammar, outside, type Positions, positionsOf, printPositions } from './positions.ts'
import { attempt, Problem, problemOf } from './problem.ts'
import { json, rest } from './reply.ts'
import type { Route } from './route.ts'
import { type Format, formatParameter, list, object, recordSchema, shownRecord } from './shown.ts'

/** An answer is no longer than about this, however many records were asked for. */
const answerBytesMax = 8 * 1024 * 1024
const readBytes = 256 * 1024
/** Of a partition that is written faster than it can be looked at. */
const looksMax = 100

type Gathered = { readonly records: object[]; bytesLeft: number }

/** Of a record in an answer, about: its bytes, and what stands around them. */
const aroundBytes = 100
const costOf = ({ key, value, headers }: CommittedRecord): number =>
  headers.reduce(
    (sum, header) => sum + header.key.length + (header.value?.length ?? 0) + aroundBytes / 4,
    (key?.length ?? 0) + (value?.length ?? 0) + aroundBytes,
  )

/** Reads one partition on until there is enough, and notes how far it came. */
async function gather(
  partition: Partition,
  positions: Positions,
  into: Gathered,
  { limit, format, ending }: { limit: number; format: Format; ending: AbortSignal },
): Promise<Problem | undefined> {
  for (let looks = 0; into.records.length < limit && into.bytesLeft > 0; ) {
    const from = positions.get(partition.index)!
    const portion = attempt(() => readCommitted(partition, from, Math.min(readBytes, into.bytesLeft)))
    if (portion instanceof Problem) return portion
    if (portion instanceof Refusal)
      return portion.error === 'OFFSET_OUT_OF_RANGE' ? outside(partition, from, portion) : problemOf(portion)
    if (portion === undefined) {
      // A view that has looked at much without finding anything goes on when it is asked for more: nothing is no end.
      if (from >= partition.lastStableOffset || ++looks > looksMax) return undefined
      await (partition.ready() ?? rest())
      continue
    }
    for (const record of portion.records) {
      if (into.records.length >= limit || into.bytesLeft <= 0) return undefined
      into.records.push(shownRecord(partition.index, record, format))
      into.bytesLeft -= costOf(record)
      positions.set(partition.index, record.offset + 1)
    }
    positions.set(partition.index, portion.nextOffset)
    await rest()
    if (ending.aborted) return new Problem(503, 'The broker stops: ask again when it is back.')
  }
  return undefined
}

/** What retention took is not passed over in silence. */
function checkStart(partitions: readonly Partition[], positions: Positions): Problem | undefined {
  for (const partition of partitions) {
    const at = positions.get(partition.index)!
    if (at < partition.logStartOffset) return outside(partition, at, new Refusal('OFFSET_OUT_OF_RANGE'))
  }
  return beyondEnd(partitions, positions)
}

async function handle(asked: Asked) {
  const topic = findTopic(asked)
  if (topic instanceof Problem) return topic
  const partitions = await findPartitions(topic, asked)
  if (partitions instanceof Problem) return partitions
  const positions = attempt(() => positionsOf(asked.text('offset')!, partitions, 'earliest'))
  if (positions instanceof Problem) return positions
  const misplaced = attempt(() => checkStart(partitions, positions))
  if (misplaced !== undefined) return misplaced
  const { ending } = asked.rooms
  const how = { limit: asked.number('limit')!, format: asked.text('format') as Format, ending }
  const into: Gathered = { records: [], bytesLeft: answerBytesMax }
  for (const partition of partitions) {
    const problem = await gather(partition, positions, into, how)
    if (problem !== undefined) return problem
  }
  return json({ topic: topic.name, records: into.records, next: printPositions(positions) })
}

export const recordsRoute: Route = {
  method: 'get',
  path: '/topics/{topic}/records',
  id: 'readRecords',
  needs: 'READ',
  summary: 'Committed records of a topic, partition by partition.',
  parameters: [
    topicParameter,
    branchParameter,
    partitionParameter,
    {
      name: 'offset',
      in: 'query',
      description: `Where to begin: ${grammar}.`,
      schema: { type: 'string', default: 'earliest' },
    },
    {
      name: 'limit',
      in: 'query',
      description: 'The most records in one answer; an answer of about 8 MiB ends earlier.',
      schema: { type: 'integer', minimum: 1, maximum: 10_000, default: 100 },
    },
    formatParameter,
  ],
  answers: {
    200: {
      description: 'Records, and in `next` what to say as `offset` for those that follow.',
      schema: object({ topic: { type: 'string' }, records: list(recordSchema), next: { type: 'string' } }),
    },
  },
  problems: [404, 503],
  handle,
}
