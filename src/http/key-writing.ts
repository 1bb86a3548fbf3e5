// PUT and DELETE /topics/{topic}/keys/{key}: a revision more. With If-Match only if the key has not moved since: what it is held
// against and the append are one turn of the event loop, so of two who saw the same revision one succeeds.

import { eachBatch, eachBatchAtOnce, Fates, noWalk, walkBatch } from '../branch/reading.ts'
import type { Partition } from '../broker/partition.ts'
import type { Asked } from './asked.ts'
import { findKey, type KeyPlace, keyParameters, neverWritten, revisionsOf } from './key-place.ts'
import { Problem } from './problem.ts'
import { json, rest } from './reply.ts'
import type { Rooms } from './rooms.ts'
import type { Parameter, Route } from './route.ts'
import { integer, object, shownKey } from './shown.ts'
import { throttled, type Written, write } from './writing.ts'

/** Whether a write may be, with the newest revision of its key; 0 where there is none. */
type Condition = (rev: number) => boolean

/** Somebody writes so fast that we never catch up: better said than waited for. */
const attemptsMax = 100

const revs = (header: string): number[] | undefined => {
  const texts = header.split(',').map((text) => /^\s*"?(\d{1,16})"?\s*$/.exec(text)?.[1])
  return texts.includes(undefined) ? undefined : texts.map(Number)
}

function conditionOf(asked: Asked): Condition | undefined | Problem {
  const match = asked.header('if-match')
  const noneMatch = asked.header('if-none-match')
  if (noneMatch !== undefined && (noneMatch.trim() !== '*' || match !== undefined))
    return new Problem(
      400,
      'If-None-Match: * (only if there is no revision yet) is all that is known of If-None-Match.',
    )
  if (noneMatch !== undefined) return (rev) => rev === 0
  if (match === undefined) return undefined
  if (match.trim() === '*') return (rev) => rev > 0
  const wanted = revs(match)
  if (wanted === undefined)
    return new Problem(
      400,
      `If-Match: ${match.slice(0, 100)} is not possible: the number of a revision is expected, or 0 for none.`,
    )
  return (rev) => wanted.includes(rev)
}

/** The last write of a key in `[from, …)`, which the index does not know yet: undecided, or not flushed. */
class Undecided {
  readonly #partition: Partition
  readonly #key: Buffer
  #offset = -1
  #upTo: number

  constructor(partition: Partition, key: Buffer, from: number) {
    this.#partition = partition
    this.#key = key
    this.#upTo = from
  }

  readonly #look = (fates: Fates) => (bytes: Buffer, position: number, first: number) => {
    if (fates.of(bytes, position) === 'aborted') return noWalk
    return walkBatch(bytes, position, first, Infinity, (cursor, offset) => {
      if (cursor.keyLength === this.#key.length && cursor.key()!.equals(this.#key)) this.#offset = offset
    })
  }

  /** What is there so far, with turns for others. */
  async look({ ending }: Rooms): Promise<void> {
    const { log } = this.#partition
    const to = log.logEndOffset
    if (to <= this.#upTo) return
    await eachBatch(
      log,
      this.#upTo,
      to,
      { rest, isOver: () => ending.aborted },
      this.#look(new Fates(log, this.#upTo, to)),
    )
    this.#upTo = to
  }

  /** What came since, at once; answers the last write of the key that is not below `indexedOffset`. */
  lastFrom(indexedOffset: number): number | undefined {
    const { log } = this.#partition
    const to = log.logEndOffset
    this.#upTo = Math.max(this.#upTo, indexedOffset)
    if (to > this.#upTo) {
      eachBatchAtOnce(log, this.#upTo, to, this.#look(new Fates(log, this.#upTo, to)))
      this.#upTo = to
    }
    return this.#offset >= indexedOffset ? this.#offset : undefined
  }
}

const moved = (rev: number): Problem =>
  new Problem(412, `The key is at revision ${rev} now. Read it again, and write with If-Match: ${rev}.`, undefined, {
    rev,
  })

type Wish = KeyPlace & { readonly value: Buffer | null; readonly condition: Condition | undefined }

const append = (asked: Asked, { topic, partition, key, value }: Wish): Promise<(Written | Problem)[]> => {
  const record = { key, value, headers: [], timestamp: asked.rooms.broker.clock.now() }
  return write(asked, topic, [{ partition: partition.index, records: [record] }])
}

/** Appends if the condition holds in the turn in which it appends. */
async function appendIf(asked: Asked, wish: Wish, condition: Condition): Promise<(Written | Problem)[] | Problem> {
  const { partition, key } = wish
  for (let attempts = 0; attempts < attemptsMax; attempts++) {
    await partition.gate.closed
    const { indexedOffset } = await revisionsOf(partition, asked.rooms)
    const undecided = new Undecided(partition, key, indexedOffset)
    await undecided.look(asked.rooms)
    // From here on nobody else has a turn.
    if (partition.gate.closed !== undefined || partition.isRemoved) continue
    const { revisions } = partition
    if (revisions.ready() !== undefined) continue
    const rev = revisions.newest(key)?.rev ?? 0
    if (!condition(rev)) return moved(rev)
    const last = undecided.lastFrom(revisions.indexedOffset)
    if (last === undefined) return append(asked, wish)
    if (last < partition.highWatermark) {
      const why = 'A write of this key stands in an open transaction, or behind one'
      return new Problem(
        409,
        `${why}: whether it counts is decided when that ends. Try again then.`,
        'CONCURRENT_TRANSACTIONS',
      )
    }
    // It waits for its flush, and counts then.
    await partition.flush()
  }
  return new Problem(503, 'The partition is written so fast that the condition could not be looked at. Try again.')
}

async function revisionAt({ partition, rooms }: KeyPlace, offset: number): Promise<number | null> {
  const place = (await revisionsOf(partition, rooms)).known.at(offset)
  return place === undefined ? null : place.part.revOf(place.entry)
}

async function writeKey(asked: Asked, value: Buffer | null, place: KeyPlace) {
  const condition = conditionOf(asked)
  if (condition instanceof Problem) return condition
  const wish = { ...place, value, condition }
  // Whoever gives up while it is counted has written nothing.
  await revisionsOf(place.partition, place.rooms)
  const outcomes = condition === undefined ? await append(asked, wish) : await appendIf(asked, wish, condition)
  if (outcomes instanceof Problem) return outcomes
  const [outcome] = outcomes
  if (outcome === undefined || outcome instanceof Problem) return outcome ?? new Problem(500, 'There is no outcome.')
  await throttled(asked, place.key.length + (value?.length ?? 0))
  const { partition, baseOffset: offset } = outcome
  const rev = await revisionAt(place, offset)
  const headers = rev === null ? {} : { etag: `"${rev}"` }
  return json({ ...shownKey(place.key), rev, partition, offset }, { headers })
}

async function put(asked: Asked) {
  const place = await findKey(asked)
  if (place instanceof Problem) return place
  const { maxMessageBytes } = place.topic.config
  const most = Math.min(maxMessageBytes, asked.rooms.broker.config.number('socket.request.max.bytes'))
  const value = await asked.body(most)
  return value instanceof Problem ? value : writeKey(asked, value, place)
}

async function remove(asked: Asked) {
  const place = await findKey(asked)
  if (place instanceof Problem) return place
  const isThere = (await revisionsOf(place.partition, place.rooms)).find(place.key) !== undefined
  return isThere ? writeKey(asked, null, place) : neverWritten(place)
}

const conditions: readonly Parameter[] = [
  {
    name: 'If-Match',
    in: 'header',
    description: 'Only if this is the newest revision of the key; 0: only if there is none; *: only if there is one.',
    schema: { type: 'string' },
  },
  { name: 'If-None-Match', in: 'header', description: '*: only if there is no revision.', schema: { type: 'string' } },
]

const written = {
  description: 'The revision, as safe as the topic promises.',
  schema: object(
    {
      key: { type: 'string' },
      keyBase64: { type: 'string', contentEncoding: 'base64' },
      rev: {
        type: ['integer', 'null'],
        description: 'null while an older transaction is open: the number is decided when that ends.',
      },
      partition: integer,
      offset: integer,
    },
    ['rev', 'partition', 'offset'],
  ),
  headers: { ETag: 'The revision, for If-Match.' },
}

export const putKeyRoute: Route = {
  method: 'put',
  path: '/topics/{topic}/keys/{key}',
  id: 'writeKey',
  needs: 'WRITE',
  summary: 'Writes a value: a revision of its key.',
  parameters: [...keyParameters, ...conditions],
  body: { description: 'The value, byte for byte, whatever it is.', types: { '*/*': { type: 'string' } } },
  answers: { 200: written },
  problems: [403, 404, 409, 412, 413, 415, 503],
  handle: put,
}

export const deleteKeyRoute: Route = {
  method: 'delete',
  path: '/topics/{topic}/keys/{key}',
  id: 'deleteKey',
  needs: 'WRITE',
  summary: 'Deletes a key: a tombstone is a revision too, and those before it stay.',
  parameters: [...keyParameters, ...conditions],
  answers: { 200: written },
  problems: [403, 404, 409, 412, 413, 503],
  handle: remove,
}
