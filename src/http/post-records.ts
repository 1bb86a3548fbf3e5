// POST /topics/{topic}/records: records as JSON, one request or one line each, to where the Java client would send them.

import { isUtf8 } from 'node:buffer'
import { fromBase64 } from '../../protocol/base64.ts'
import type { RecordHeader } from '../../protocol/records/record.ts'
import { autoCreate } from '../api/auto-create.ts'
import { type Verbatim, verbatim } from '../branch/verbatim-json.ts'
import type { Topic } from '../broker/topic.ts'
import type { Asked } from './asked.ts'
import { branchParameter, findTopic, forbidden, topicParameter } from './find-topic.ts'
import { elementsOf, membersOf } from './json.ts'
import { partitionOfKey } from './partitioner.ts'
import { Problem, problemOf } from './problem.ts'
import { json } from './reply.ts'
import type { Route, Schema } from './route.ts'
import { integer, keyMembers, list, object, valueMembers } from './shown.ts'
import { throttled, type Written, write } from './writing.ts'

type Sent = {
  readonly partition: number | undefined
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: RecordHeader[]
  readonly timestamp: number | undefined
}

const linesType = 'application/x-ndjson'
const jsonType = 'application/json'
const words = ['key', 'keyBase64', 'value', 'valueBase64', 'headers', 'partition', 'timestamp']

/** Leaves this file only as a problem. */
class Bad extends Error {}

/** A text is its letters; any other JSON is what was written; null is nothing. */
function bytesOf(members: ReadonlyMap<string, Verbatim>, name: 'key' | 'value'): Buffer | null {
  const encoded = members.get(`${name}Base64`)
  const plain = members.get(name)
  if (encoded !== undefined && plain !== undefined)
    throw new Bad(`${name} and ${name}Base64 are both there: leave one out`)
  if (encoded !== undefined) return bytesIn(JSON.parse(encoded.text), `${name}Base64`)
  if (plain === undefined || plain.text === 'null') return null
  return bytesOfText(plain.text.startsWith('"') ? (JSON.parse(plain.text) as string) : plain.text, name)
}

/** Half of a surrogate pair (`"\ud800"`) is JSON and has no bytes: it would become another letter, and two keys one. */
function bytesOfText(text: string, name: string): Buffer {
  if (/\p{Surrogate}/u.test(text)) throw new Bad(`${name} holds half of a surrogate pair, which has no bytes`)
  return Buffer.from(text)
}

function bytesIn(text: unknown, name: string): Buffer {
  const bytes = typeof text === 'string' ? fromBase64(text) : undefined
  if (bytes === undefined) throw new Bad(`${name} is not base64`)
  return bytes
}

function numberOf(member: Verbatim | undefined, name: string, most: number): number | undefined {
  if (member === undefined || member.text === 'null') return undefined
  const number: unknown = JSON.parse(member.text)
  if (!Number.isSafeInteger(number) || (number as number) < 0 || (number as number) > most)
    throw new Bad(`${name} is a number from 0 to ${most}`)
  return number as number
}

function headersOf(member: Verbatim | undefined): RecordHeader[] {
  if (member === undefined) return []
  const headers: unknown = JSON.parse(member.text)
  if (!Array.isArray(headers)) throw new Bad('headers is a list of { "key", "value" }')
  return headers.map((header: { key?: unknown; value?: unknown; valueBase64?: unknown }) => {
    const { key, value = null, valueBase64 } = header ?? {}
    if (typeof key !== 'string') throw new Bad('a header has a key, which is text')
    if (valueBase64 !== undefined) return { key, value: bytesIn(valueBase64, 'valueBase64') }
    if (value !== null && typeof value !== 'string') throw new Bad(`the header ${key} has a value that is no text`)
    return { key, value: value === null ? null : bytesOfText(value, `the header ${key}`) }
  })
}

function sentOf(text: string): Sent {
  if (!text.trimStart().startsWith('{')) throw new Bad('a record is an object')
  const members = membersOf(text)
  for (const name of members.keys())
    if (!words.includes(name)) throw new Bad(`a record has no '${name}': it has ${words.join(', ')}`)
  return {
    partition: numberOf(members.get('partition'), 'partition', 0x7fff_ffff),
    key: bytesOf(members, 'key'),
    value: bytesOf(members, 'value'),
    headers: headersOf(members.get('headers')),
    timestamp: numberOf(members.get('timestamp'), 'timestamp', Number.MAX_SAFE_INTEGER),
  }
}

/** The records of a body; each is told of by its number. */
function textsOf(body: string, mediaType: string): string[] {
  if (mediaType === linesType) return body.split('\n').filter((line) => line.trim() !== '')
  const whole = verbatim(body)
  if (whole === undefined) throw new Bad('the body is not JSON')
  const list = body.trimStart().startsWith('{') ? membersOf(body).get('records') : whole
  if (list === undefined || !list.text.trimStart().startsWith('['))
    throw new Bad('the body is {"records": [...]}, with an object for each record')
  return elementsOf(list.text).map(({ text }) => text)
}

/** The records of a body of one of the two types. */
export function recordsOf(body: Buffer, mediaType: string): Sent[] | Problem {
  let at = -1
  try {
    // What is not would be written as the sign for what cannot be read.
    if (!isUtf8(body)) throw new Bad('the body is not UTF-8; write bytes that are no text as base64')
    const texts = textsOf(body.toString(), mediaType)
    if (texts.length === 0) throw new Bad('there is no record in it')
    return texts.map((text, i) => {
      at = i
      if (verbatim(text) === undefined) throw new Bad('it is not JSON')
      return sentOf(text)
    })
  } catch (cause) {
    if (!(cause instanceof Bad)) throw cause
    return new Problem(400, `${at < 0 ? '' : `Record ${at}: `}${cause.message}.`)
  }
}

/** Records without a key go to one partition a request, to the next one at the next request. */
let turn = 0

function partitioned(topic: Topic, sent: readonly Sent[]): Map<number, number[]> | Problem {
  const count = topic.partitions.length
  const free = turn++ % count
  const places = new Map<number, number[]>()
  for (const [i, { partition, key }] of sent.entries()) {
    const place = partition ?? (key === null ? free : partitionOfKey(key, count))
    if (place >= count)
      return new Problem(
        404,
        `Record ${i}: there is no partition ${place}, '${topic.name}' has ${count}.`,
        'UNKNOWN_TOPIC_OR_PARTITION',
      )
    places.set(place, [...(places.get(place) ?? []), i])
  }
  return places
}

/** As for a producer: a topic that does not exist is made by the first record, where `auto.create.topics.enable` lets it. */
async function findOrMake(asked: Asked): Promise<Topic | Problem> {
  const found = findTopic(asked)
  if (!(found instanceof Problem) || asked.text('branch') !== undefined) return found
  const name = asked.segment('topic').toString()
  if (found.status !== 404) return found
  if (!asked.mayCreate(name)) return forbidden('CREATE', name)
  const refusal = (await autoCreate(asked.rooms, [name])).get(name)
  if (refusal === undefined) return findTopic(asked)
  if (refusal.error === 'UNKNOWN_TOPIC_OR_PARTITION') return found
  return refusal.error === 'INVALID_TOPIC_EXCEPTION'
    ? new Problem(400, refusal.message, refusal.error)
    : problemOf(refusal)
}

async function handle(asked: Asked) {
  const { mediaType, rooms } = asked
  // A page of another origin can send forms and plain text without being asked; it cannot send these.
  if (mediaType !== jsonType && mediaType !== linesType)
    return new Problem(415, `Send records as Content-Type: ${jsonType} or ${linesType}, not as '${mediaType}'.`)
  const body = await asked.body(rooms.broker.config.number('socket.request.max.bytes'))
  if (body instanceof Problem) return body
  const sent = recordsOf(body, mediaType)
  if (sent instanceof Problem) return sent
  const topic = await findOrMake(asked)
  if (topic instanceof Problem) return topic
  const places = partitioned(topic, sent)
  if (places instanceof Problem) return places
  const now = rooms.broker.clock.now()
  const batches = [...places].map(([partition, indexes]) => ({
    partition,
    records: indexes.map((i) => ({ ...sent[i]!, timestamp: sent[i]!.timestamp ?? now })),
  }))
  const outcomes = await write(asked, topic, batches)
  await throttled(asked, body.length)
  return told([...places.values()], outcomes, sent.length)
}

/** Each partition is written or refused for itself: with a refusal it is told which records stand there all the same. */
function told(places: readonly number[][], outcomes: readonly (Written | Problem)[], count: number) {
  const records: ({ partition: number; offset: number } | null)[] = Array(count).fill(null)
  for (const [n, outcome] of outcomes.entries()) {
    if (outcome instanceof Problem) continue
    const { partition, baseOffset } = outcome
    for (const [i, index] of places[n]!.entries()) records[index] = { partition, offset: baseOffset + i }
  }
  const refused = outcomes.find((outcome) => outcome instanceof Problem)
  if (refused === undefined) return json({ records })
  const isPart = records.some((record) => record !== null)
  return isPart ? new Problem(refused.status, refused.detail, refused.error, { records }) : refused
}

const header: Schema = object(
  { key: { type: 'string' }, value: { type: ['string', 'null'] }, valueBase64: { type: 'string' } },
  ['key'],
)
const sentSchema = object(
  { ...keyMembers, ...valueMembers, headers: list(header), partition: integer, timestamp: integer },
  [],
)
export const writtenSchema = object({ partition: integer, offset: integer })

export const postRecordsRoute: Route = {
  method: 'post',
  path: '/topics/{topic}/records',
  id: 'writeRecords',
  needs: 'WRITE',
  summary: 'Appends records.',
  description:
    'A key goes to the partition to which the Java client sends it (murmur2). A value that is a JSON string is written as its text, other JSON as it was sent, null (or none) as a tombstone. The records of one partition are written together or not at all. A topic that does not exist is made, where `auto.create.topics.enable` lets a producer do so.',
  parameters: [topicParameter, branchParameter],
  body: {
    description: 'Records.',
    types: { [jsonType]: object({ records: list(sentSchema) }), [linesType]: sentSchema },
  },
  answers: {
    200: {
      description:
        'Where each record stands, in the order in which they were sent. They are as safe as the topic promises.',
      schema: object({ records: list(writtenSchema) }),
    },
  },
  problems: [403, 404, 413, 415, 503],
  handle,
}
