// Whatever is written by HTTP, in whatever order, under whatever conditions, while files are packed: what is told of every key at
// every moment is what a list of its values tells.

import { isUtf8 } from 'node:buffer'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { decodeDelta } from '../../src/revision/decode-delta.ts'
import { HttpStage } from './stage.ts'

const { TWIGLOG_SEED, TWIGLOG_SOAK_SECONDS } = process.env
const seed = Number(TWIGLOG_SEED ?? Date.now() % 1_000_000_000)
const soakMs = TWIGLOG_SOAK_SECONDS === undefined ? undefined : Number(TWIGLOG_SOAK_SECONDS) * 1000
const extent =
  soakMs === undefined ? { numRuns: 150 } : { numRuns: Number.MAX_SAFE_INTEGER, interruptAfterTimeLimit: soakMs }

const keys = ['a', 'b/c', 'ключ']
type Step =
  | { do: 'put'; key: number; value: Buffer; match: 'none' | 'right' | 'wrong' | 'new' }
  | { do: 'delete'; key: number }
  | { do: 'post'; values: readonly (readonly [key: number, value: Buffer])[] }
  | { do: 'look'; key: number; below: number }

const value = fc.oneof(
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
  fc.jsonValue({ maxDepth: 2 }).map((json) => Buffer.from(JSON.stringify(json))),
  // Like the one before, so that there is something to share.
  fc.nat(200).map((n) => Buffer.from(`{"text":"${'lorem ipsum '.repeat(20)}","n":${n}}`)),
)
const key = fc.nat(keys.length - 1)
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('put' as const),
      key,
      value,
      match: fc.constantFrom('none', 'none', 'right', 'wrong', 'new'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('delete' as const), key }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('post' as const),
      values: fc.array(fc.tuple(key, value), { minLength: 1, maxLength: 4 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('look' as const), key, below: fc.nat(30) }) },
)

let stage: HttpStage
beforeAll(async () => {
  stage = await HttpStage.open({ config: { 'log.retention.check.interval.ms': 1000 } })
})
afterAll(async () => stage[Symbol.asyncDispose]())

type Revision = { offset: number; value: Buffer | null }
type Told = { rev: number; offset: number; value?: unknown; valueBase64?: string; tombstone: boolean }
type Delta = { rev: number; base: number | null; format: string; deltaBase64: string | null }

/** What JSON tells of bytes. */
function shown(bytes: Buffer | null): Pick<Told, 'value' | 'valueBase64' | 'tombstone'> {
  const tombstone = bytes === null
  if (bytes === null) return { value: null, tombstone }
  if (!isUtf8(bytes)) return { valueBase64: bytes.toString('base64'), tombstone }
  try {
    return { value: JSON.parse(bytes.toString()), tombstone }
  } catch {
    return { value: bytes.toString(), tombstone }
  }
}

class Model {
  readonly topic: string
  readonly known = keys.map((): Revision[] => [])
  #end = 0

  constructor(topic: string) {
    this.topic = topic
  }

  target(of: number, query = ''): string {
    return `/topics/${this.topic}/keys/${encodeURIComponent(keys[of]!)}${query}`
  }

  note(of: number, value: Buffer | null): number {
    this.known[of]!.push({ offset: this.#end++, value })
    return this.known[of]!.length
  }

  async take(one: Step): Promise<void> {
    switch (one.do) {
      case 'put': {
        const newest = this.known[one.key]!.length
        const match = { none: undefined, right: newest, wrong: newest + 1, new: 0 }[one.match]
        const headers: Record<string, string> = match === undefined ? {} : { 'if-match': String(match) }
        const { status, json } = await stage.ask('PUT', this.target(one.key), { body: one.value, headers })
        if (match !== undefined && match !== newest) return expect([status, json.rev]).toEqual([412, newest])
        return expect([status, json.rev]).toEqual([200, this.note(one.key, one.value)])
      }
      case 'delete': {
        const { status, json } = await stage.ask('DELETE', this.target(one.key))
        if (this.known[one.key]!.length === 0) return expect(status).toBe(404)
        return expect([status, json.rev]).toEqual([200, this.note(one.key, null)])
      }
      case 'post': {
        const records = one.values.map(([of, bytes]) => ({ key: keys[of], valueBase64: bytes.toString('base64') }))
        expect((await stage.post(`/topics/${this.topic}/records`, records)).status).toBe(200)
        for (const [of, bytes] of one.values) this.note(of, bytes)
        return
      }
      case 'look':
        return this.look(one.key, one.below)
    }
  }

  async look(of: number, below: number): Promise<void> {
    const wanted = this.known[of]!.filter(({ offset }) => offset < below)
    const { status, json } = await stage.get(this.target(of, `?at=offset:${below}&revisions=all`))
    expect(status).toBe(wanted.length === 0 ? 404 : 200)
    if (status === 404) return
    const told: Told[] = [json.current, ...json.revisions]
    expect(told.map(({ rev, offset }) => [rev, offset])).toEqual(
      wanted.map(({ offset }, i) => [i + 1, offset]).reverse(),
    )
    for (const one of told) expect(one).toMatchObject(shown(wanted[one.rev - 1]!.value))
    const deltas: Delta[] = (await stage.get(this.target(of, `?at=offset:${below}&revisions=all&patch=false`))).json
      .revisions
    let before = Buffer.alloc(0) as Buffer
    for (const { rev, base, format, deltaBase64 } of deltas.reverse()) {
      const { value } = wanted[rev - 1]!
      expect(base === null).toBe(format !== 'vcdiff')
      if (value === null) {
        expect([format, deltaBase64]).toEqual(['tombstone', null])
        continue
      }
      const bytes = Buffer.from(deltaBase64!, 'base64')
      before = format === 'full' ? bytes : decodeDelta(before, bytes, 1 << 20)
      expect(before).toEqual(value)
    }
  }
}

test(`what is told of keys is what was written (TWIGLOG_SEED=${seed})`, {
  timeout: 180_000 + (soakMs ?? 0),
}, async () => {
  let run = 0
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 14 }), async (steps) => {
      const model = new Model(`model-${run++}`)
      const config = { 'revision.diff': true, 'segment.ms': 1, 'revision.pack.lag.ms': 0 }
      await stage.broker.createTopics([{ name: model.topic, config }])
      for (const one of steps) await model.take(one)
      for (const of of keys.keys()) await model.look(of, 1000)
    }),
    { seed, ...extent },
  )
})
