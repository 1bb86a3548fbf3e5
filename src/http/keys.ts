// GET /topics/{topic}/keys/{key}: the value of a key, now or as of a moment, with the values before it or the deltas that
// lead to them.

import { crc32c } from '../../protocol/crc32c.ts'
import { timeIn } from '../branch/fork-point.ts'
import { print } from '../branch/verbatim-json.ts'
import { differenceInSlices, differenceOf, diffMaxBytesDefault, takesLong } from '../revision/difference.ts'
import { makeLong } from '../revision/long-deltas.ts'
import type { Revision } from '../revision/revision.ts'
import { describe } from '../revision/revisions.ts'
import type { Asked } from './asked.ts'
import { findKey, type KeyPlace, keyParameters, neverWritten, revisionsOf } from './key-place.ts'
import { offsetAt } from './positions.ts'
import { Problem } from './problem.ts'
import { json, rest, streamOf } from './reply.ts'
import type { Reply, Route, Schema } from './route.ts'
import { integer, list, object, shownKey, shownValue, valueMembers } from './shown.ts'

type Read = { readonly revision: Revision; readonly value: Buffer | null }

/** So many revisions are looked up in one turn, and values read for so long: some cost a hundred times as much as others. */
const sliceCount = 500
const sliceMs = 2
/** A longer answer is made while it is taken. */
const heldLength = 1024 * 1024

const none: Buffer = Buffer.alloc(0)

/** Below which offset revisions count; Infinity: all do. */
async function boundOf(place: KeyPlace, at: string | undefined): Promise<number | Problem> {
  if (at === undefined) return Infinity
  const { partition } = place
  const [, kind, text = ''] = /^(rev|offset|timestamp):(.*)$/s.exec(at) ?? []
  const bad = new Problem(
    400,
    `at=${at.slice(0, 100)} is not possible: rev:N, offset:N or timestamp:<ms or ISO-8601> is expected.`,
  )
  if (kind === 'timestamp') {
    const time = timeIn(text)
    return time === undefined ? bad : offsetAt(partition, time)
  }
  if (kind === undefined || !/^\d{1,16}$/.test(text)) return bad
  if (kind === 'offset') return Number(text)
  let newest: number | undefined
  for await (const { rev, offset } of revisionsFrom(place, Infinity)) {
    newest ??= rev
    if (rev === Number(text)) return offset + 1
    if (rev < Number(text)) break
  }
  if (newest === undefined) return neverWritten(place)
  const why = `the newest is ${newest}, and its keep rule may have dropped others`
  return new Problem(404, `There is no revision ${text} of this key; ${why}.`)
}

/** Revisions from the newest below `bound` on, so many in one turn. Files may be packed while it goes on. */
async function* revisionsFrom({ partition, key, rooms }: KeyPlace, bound: number): AsyncGenerator<Revision> {
  for (let below = bound; ; await rest()) {
    const revisions = await revisionsOf(partition, rooms)
    let found = revisions.find(key, below)
    for (let n = 0; n < sliceCount; n++) {
      if (found === undefined) return
      const revision = describe(found)
      below = revision.offset
      yield revision
      // Whoever took it may have taken his time.
      found = revisions.find(key, below)
    }
  }
}

/** The same with their values. */
async function* readsFrom(place: KeyPlace, bound: number): AsyncGenerator<Read> {
  let until = performance.now() + sliceMs
  for await (const revision of revisionsFrom(place, bound)) {
    const record = place.partition.revisions.read(revision.offset)
    // Its file, or a keep rule, has taken it in this moment.
    if (record === undefined) continue
    yield { revision, value: record.value }
    if (performance.now() < until) continue
    await rest()
    until = performance.now() + sliceMs
  }
}

const shown = ({ revision: { rev, offset, timestamp }, value }: Read) => ({
  rev,
  offset,
  timestamp,
  ...shownValue(value),
  tombstone: value === null,
})

function differenceAtEase(before: Read['value'] | undefined, value: Read['value'], bytesMax: number) {
  if (!takesLong(before, value, bytesMax)) return differenceOf(before, value, bytesMax)
  return makeLong(() => differenceInSlices(before, value, bytesMax))
}

async function delta({ revision: { rev }, value }: Read, before: Read | undefined, bytesMax: number) {
  const difference = await differenceAtEase(before?.value, value, bytesMax)
  return {
    rev,
    base: difference === undefined ? null : before!.revision.rev,
    format: value === null ? 'tombstone' : difference === undefined ? 'full' : 'vcdiff',
    deltaBase64: (difference ?? value)?.toString('base64') ?? null,
    crc32c: crc32c(value ?? none)
      .toString(16)
      .padStart(8, '0'),
  }
}

/** The JSON of the revisions before the current one. A delta needs the value before it, so it comes one step behind. */
async function* listed(
  reads: AsyncGenerator<Read>,
  count: number,
  asDelta: ((read: Read, before?: Read) => Promise<object>) | undefined,
) {
  let held: Read | undefined
  let told = 0
  let comma = ''
  for await (const read of reads) {
    const now = asDelta === undefined ? shown(read) : held && (await asDelta(held, read))
    held = read
    if (now === undefined) continue
    yield comma + print(now)
    comma = ','
    if (++told === count) return
  }
  if (asDelta !== undefined && held !== undefined && told < count) yield comma + print(await asDelta(held))
}

async function* inPieces(pieces: Iterable<string> | AsyncIterable<string>): AsyncGenerator<string> {
  let text = ''
  for await (const piece of pieces) {
    text += piece
    if (text.length < heldLength) continue
    yield text
    text = ''
  }
  yield text
}

/** What is short is made first, so that whatever is wrong with it can still be told. */
async function replyOf(text: AsyncGenerator<string>, headers: Readonly<Record<string, string>>): Promise<Reply> {
  const pieces = inPieces(text)
  const first = await pieces.next()
  if (first.done === true || first.value.length < heldLength) return { headers, body: `${first.value}` }
  async function* all() {
    yield first.value as string
    yield* pieces
  }
  return { headers, body: streamOf(all()) }
}

function countOf(text: string): number | Problem {
  if (text === 'all') return Infinity
  return /^\d{1,9}$/.test(text)
    ? Number(text)
    : new Problem(400, `revisions=${text.slice(0, 100)} is not possible: a number or all is expected.`)
}

async function handle(asked: Asked) {
  const count = countOf(asked.text('revisions')!)
  if (count instanceof Problem) return count
  const place = await findKey(asked)
  if (place instanceof Problem) return place
  const at = asked.text('at')
  const bound = await boundOf(place, at)
  if (bound instanceof Problem) return bound
  const reads = readsFrom(place, bound)
  const { value: current, done } = await reads.next()
  if (done === true) {
    if (at === undefined || (await revisionsOf(place.partition, place.rooms)).find(place.key) === undefined)
      return neverWritten(place)
    return new Problem(404, `The key was not there yet at ${at}.`)
  }
  const headers = at === undefined ? { etag: `"${current.revision.rev}"` } : {}
  const bytesMax = place.topic.config.revision?.diffMaxBytes ?? diffMaxBytesDefault
  const asDelta = asked.flag('patch') ? undefined : (read: Read, before?: Read) => delta(read, before, bytesMax)
  async function* text() {
    yield `{"current":${print(shown(current as Read))},"revisions":[`
    if (count !== 0) yield* listed(reads, count as number, asDelta)
    yield ']}\n'
  }
  return replyOf(text(), headers)
}

const valueSchema: Schema = object(
  { rev: integer, offset: integer, timestamp: integer, ...valueMembers, tombstone: { type: 'boolean' } },
  ['rev', 'offset', 'timestamp', 'tombstone'],
)
const deltaSchema: Schema = object({
  rev: integer,
  base: { type: ['integer', 'null'], description: 'The revision that the delta is to; null where the value is full.' },
  format: { type: 'string', enum: ['vcdiff', 'full', 'tombstone'] },
  deltaBase64: {
    type: ['string', 'null'],
    contentEncoding: 'base64',
    description: 'VCDIFF (RFC 3284), or the whole value.',
  },
  crc32c: { type: 'string', description: 'Of the value that it makes, hex.' },
})

export const keyRoute: Route = {
  method: 'get',
  path: '/topics/{topic}/keys/{key}',
  id: 'readKey',
  needs: 'READ',
  summary: 'The value of a key, now or as of a moment, and the revisions before it.',
  description:
    'A key is looked for in the partition to which the Java client sends it, then in the others. The first question about a partition reads it once; from then on revisions are known.',
  parameters: [
    ...keyParameters,
    {
      name: 'revisions',
      in: 'query',
      description: 'How many revisions before the current one, newest first: a number, or all.',
      schema: { type: 'string', default: '0' },
    },
    {
      name: 'patch',
      in: 'query',
      description: 'Whether the deltas are applied: true gives values, false the raw deltas.',
      schema: { type: 'boolean', default: true },
    },
    {
      name: 'at',
      in: 'query',
      description:
        'What is current: rev:N, offset:N (of the records below it) or timestamp:<ms or ISO-8601> (of those before that).',
      schema: { type: 'string' },
    },
  ],
  answers: {
    200: {
      description: 'The current revision, a tombstone too, and those before it.',
      schema: object({ current: valueSchema, revisions: list({ anyOf: [valueSchema, deltaSchema] }) }),
      headers: { ETag: 'The revision, for If-Match.' },
    },
  },
  problems: [403, 404, 503],
  handle,
}

async function info(asked: Asked) {
  const place = await findKey(asked)
  if (place instanceof Problem) return place
  const { key, partition } = place
  let newest: Revision | undefined
  const sum = { revisionCount: 0, stored: 0, full: 0 }
  for await (const revision of revisionsFrom(place, Infinity)) {
    newest ??= revision
    sum.revisionCount++
    sum.stored += revision.stored
    sum.full += revision.size
  }
  if (newest === undefined) return neverWritten(place)
  const { revisionCount, ...bytes } = sum
  return json({ ...shownKey(key), revisionCount, partition: partition.index, offset: newest.offset, ...bytes })
}

export const keyInfoRoute: Route = {
  method: 'get',
  path: '/topics/{topic}/keys/{key}/info',
  id: 'describeKey',
  needs: 'READ',
  summary: 'How many revisions a key has, and what they take.',
  parameters: keyParameters,
  answers: {
    200: {
      description: 'Of the revisions that are still there.',
      schema: object(
        {
          key: { type: 'string' },
          keyBase64: { type: 'string', contentEncoding: 'base64' },
          revisionCount: integer,
          partition: integer,
          offset: { ...integer, description: 'Of the newest.' },
          stored: { ...integer, description: 'Bytes that the values take on the disk, before blocks are deflated.' },
          full: { ...integer, description: 'Bytes of the values.' },
        },
        ['revisionCount', 'partition', 'offset', 'stored', 'full'],
      ),
    },
  },
  problems: [403, 404, 503],
  handle: info,
}
