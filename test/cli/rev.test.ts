// `twiglog rev` as it is typed: words in, a table, a difference or JSON out, an exit code for scripts; over the wire to a
// broker.

import { describe, expect, test } from 'vitest'
import { createAcls } from '../../protocol/messages/30-create-acls.ts'
import { decodeDelta } from '../../src/revision/decode-delta.ts'
import { Line } from '../api/line.ts'
import { authorizerConfig } from '../api/strangers.ts'
import { operations } from '../differential/scenarios/rights-questions.ts'
import { Packs } from '../revision/packs.ts'
import { Stage } from '../revision/stage.ts'
import { type Said, typedRev } from './typed.ts'

/** Types a line. `answers`: what somebody says when asked; nobody is there without. */
const type = (stage: Stage | undefined, line: string, answers?: boolean): Promise<Said> =>
  typedRev(stage?.broker.bootstrapServers, line, answers)

const lamp = (cents: number) => JSON.stringify({ item: 'lamp', cents })

/** `lamp` in four revisions, the third of them a deletion, at known times; `chair` in one. */
async function opened(): Promise<Stage> {
  const stage = await Stage.open()
  await stage.create('prices', 2, { 'revision.diff': true, 'message.timestamp.before.max.ms': '9223372036854775807' })
  const day = (n: number) => String(Date.UTC(2026, 0, n))
  await stage.send('prices', [{ key: 'lamp', value: lamp(1), timestamp: day(1), headers: { by: 'anna' } }], 1)
  await stage.send('prices', [{ key: 'chair', value: 'a chair', timestamp: day(2) }], 0)
  await stage.send('prices', [{ key: 'lamp', value: lamp(2), timestamp: day(3) }], 1)
  await stage.send('prices', [{ key: 'lamp', value: null, timestamp: day(4) }], 1)
  await stage.send('prices', [{ key: 'lamp', value: lamp(4), timestamp: day(5) }], 1)
  return stage
}

describe('twiglog rev log', () => {
  test('lists the revisions of a key, the newest first', async () => {
    await using stage = await opened()
    const { code, out } = await type(stage, 'log prices lamp')
    expect(code).toBe(0)
    const rows = out.split('\n').map((line) => line.trim().split(/ {2,}/))
    expect(rows[0]).toEqual(['REV', 'OFFSET', 'TIME (UTC)', 'BYTES', 'STORED', 'AS'])
    expect(rows.slice(1).map(([rev, offset, time]) => [rev, offset, time])).toEqual([
      ['4', '3', '2026-01-05 00:00:00'],
      ['3', '2', '2026-01-04 00:00:00'],
      ['2', '1', '2026-01-03 00:00:00'],
      ['1', '0', '2026-01-01 00:00:00'],
    ])
    expect(rows[2]!.at(-1)).toBe('deleted')
    // All of it: the key was told as the object that its bytes are.
    expect((await type(stage, 'log prices lamp -n 1 --json')).json()).toEqual([
      {
        partition: 1,
        key: 'lamp',
        rev: 4,
        offset: expect.any(Number),
        timestamp: expect.any(Number),
        size: expect.any(Number),
        stored: expect.any(Number),
        format: 'full',
      },
    ])
    expect(await stage.made()).toEqual(['prices'])
  })

  test('or says that there is none', async () => {
    await using stage = await opened()
    expect(await type(stage, 'log prices desk')).toMatchObject({
      code: 1,
      err: "'desk' was never written to 'prices', or is not kept any more.",
    })
    expect(await type(stage, 'log prices lamp --partition 0')).toMatchObject({ code: 1 })
    expect(await type(stage, 'log nothing lamp')).toMatchObject({
      code: 1,
      err: "UNKNOWN_TOPIC_OR_PARTITION: There is no topic 'nothing'.",
    })
  })
})

test('a topic that one may not see is not said to be missing', async () => {
  await using line = await Line.open(['prices'], authorizerConfig)
  const acl = {
    ...{ resourceType: 2, resourceName: 'prices', resourcePatternType: 3, principal: 'User:other', host: '*' },
    ...{ operation: operations.ALL, permissionType: 3 },
  }
  await line.ask(createAcls, 3, { creations: [acl] })
  const { code, err } = await typedRev(line.broker.bootstrapServers, 'log prices lamp')
  expect(code).toBe(1)
  expect(err).toContain("TOPIC_AUTHORIZATION_FAILED: An ACL has to allow DESCRIBE on 'prices'")
})

describe('twiglog rev show', () => {
  test.each([
    ['', lamp(4)],
    ['--at 1', lamp(1)],
    ['--at rev:2', lamp(2)],
    ['--at 3', 'deleted'],
    ['--at offset:1', lamp(1)],
    ['--at 2026-01-03', lamp(1)],
    ['--at 2026-01-03T00:00:01Z', lamp(2)],
    ['--at 2030-01-01', lamp(4)],
  ])('shows a value %s', async (at, value) => {
    await using stage = await opened()
    expect(await type(stage, `show prices lamp ${at}`.trim())).toMatchObject({ code: 0, out: value, err: '' })
  })

  test('as JSON for programs, with what is no text as base64', async () => {
    await using stage = await opened()
    expect((await type(stage, 'show prices lamp --at 2 --json')).json()).toEqual([
      {
        partition: 1,
        rev: 2,
        offset: 1,
        timestamp: Date.UTC(2026, 0, 3),
        value: { item: 'lamp', cents: 2 },
        tombstone: false,
      },
    ])
    await stage.send('prices', [{ key: Buffer.from([0, 255]), value: Buffer.from([254]) }])
    expect((await type(stage, 'show prices AP8= --key-base64 --json')).json()).toMatchObject([{ valueBase64: '/g==' }])
  })

  test('numbers keep the letters in which they were written, and every answer is one line', async () => {
    await using stage = await opened()
    const values = ['{"id": 12345678901234567890,\r\n "n": 1.0}', '{"id": 12345678901234567891,\n "n": 1.0}']
    for (const value of values) await stage.send('prices', [{ key: 'n', value }])
    const { out } = await type(stage, 'show prices n --json')
    expect(out).toContain('"value":{"id": 12345678901234567891,  "n": 1.0}')
    expect(out.split('\n')).toHaveLength(1)
    const { out: difference } = await type(stage, 'diff prices n --json')
    expect(difference).toContain('"changes":[{"path":"/id","from":12345678901234567890,"to":12345678901234567891}]')
  })

  test('or says which there are', async () => {
    await using stage = await opened()
    expect(await type(stage, 'show prices lamp --at 9')).toMatchObject({
      code: 1,
      err: "There is no revision 9 of 'lamp' (kept are 1 to 4).",
    })
    expect(await type(stage, 'show prices lamp --at 1999-01-01')).toMatchObject({ code: 1 })
  })

  test('of a branch, which has its own after the fork', async () => {
    await using stage = await opened()
    await stage.fork('prices', 'prices--try')
    await stage.send('prices--try', [{ key: 'lamp', value: 'mine' }], 1)
    await stage.send('prices', [{ key: 'lamp', value: 'theirs' }], 1)
    for (const branch of ['try', 'prices--try']) {
      expect((await type(stage, `show prices lamp --branch ${branch} --at 5`)).out).toBe('mine')
    }
    expect((await type(stage, 'show prices lamp --at 5')).out).toBe('theirs')
    expect((await type(stage, 'show prices lamp --branch try --at 4')).out).toBe(lamp(4))
  })
})

describe('twiglog rev diff', () => {
  test('tells the last change, or that between two revisions', async () => {
    await using stage = await opened()
    expect((await type(stage, 'diff prices lamp 1 2')).out).toBe(
      '--- revision 1\n+++ revision 2\n- /cents: 1\n+ /cents: 2',
    )
    expect((await type(stage, 'diff prices lamp')).out).toBe(`--- revision 3\n+++ revision 4\n+ ${lamp(4)}`)
    expect((await type(stage, 'diff prices lamp 1')).out).toContain('+ /cents: 4')
    expect((await type(stage, 'diff prices lamp --at 2')).out).toContain('+++ revision 2')
    expect((await type(stage, 'diff prices lamp 1 2 --json')).json()).toEqual([
      { from: { rev: 1 }, to: { rev: 2 }, changes: [{ path: '/cents', from: 1, to: 2 }] },
    ])
    expect(await type(stage, 'diff prices chair')).toMatchObject({ code: 1 })
    expect(await type(stage, 'diff prices lamp 1 7')).toMatchObject({ code: 1 })
  })

  test('raw deltas make every value out of the one before', async () => {
    await using stage = await Stage.open()
    await stage.create('docs', 1, { 'revision.diff': true })
    const values = Array.from({ length: 20 }, (_, i) => `${'the same words again and again '.repeat(9)}${i}`)
    for (const value of values) await stage.send('docs', [{ key: 'k', value }])
    const told = (await type(stage, 'diff docs k 1 20 --raw --json')).json() as {
      rev: number
      base: number
      format: string
      deltaBase64: string
      size: number
    }[]
    expect(told.map(({ rev }) => rev)).toEqual(values.slice(1).map((_, i) => i + 2))
    let value = Buffer.from(values[0]!)
    for (const { rev, base, format, deltaBase64, size } of told) {
      const bytes = Buffer.from(deltaBase64, 'base64')
      if (format === 'vcdiff') {
        expect(base).toBe(rev - 1)
        value = decodeDelta(value, bytes, size)
      } else value = bytes
      expect(String(value)).toBe(values[rev - 1])
    }
    expect(told.some(({ format }) => format === 'vcdiff')).toBe(true)
    const { out } = await type(stage, 'show docs k --at 5 --delta')
    expect(String(decodeDelta(Buffer.from(values[3]!), Buffer.from(out, 'base64'), 1_000))).toBe(values[4])
    expect(await type(stage, 'show docs k --at 1 --delta')).toMatchObject({
      code: 1,
      err: 'Revision 1 is no delta, it is a whole value.',
    })
    expect((await type(stage, 'diff docs k --raw')).out).toMatch(/^REV +FROM +AS +CRC-32C +BASE64\n +20 +19 +vcdiff/)
  })
})

describe('twiglog rev restore', () => {
  test('writes an old value as a new revision, headers too', async () => {
    await using stage = await opened()
    expect((await type(stage, 'restore prices lamp --at 1')).out).toBe(
      "'lamp' is again what revision 1 said; that is revision 5.",
    )
    expect((await type(stage, 'show prices lamp')).out).toBe(lamp(1))
    const last = (await stage.read('prices', 6)).at(-1)!
    expect(last.headers).toEqual({ by: Buffer.from('anna') })
    expect(last.partition).toBe(1)
    expect((await type(stage, 'restore prices lamp --at 3 --json')).json()).toMatchObject([{ rev: 6, restored: 3 }])
    expect((await type(stage, 'show prices lamp')).out).toBe('deleted')
    expect((await type(stage, 'restore prices lamp --at 6')).out).toContain('is the newest')
    expect(await type(stage, 'restore prices lamp')).toMatchObject({ code: 2 })
  })

  test('a terminal shows what would change, and asks first', async () => {
    await using stage = await opened()
    const { code, out } = await type(stage, 'restore prices lamp --at 2', false)
    expect(code).toBe(1)
    expect(out).toContain('- /cents: 4\n+ /cents: 2')
    expect((await type(stage, 'log prices lamp --json')).json()).toHaveLength(4)
    expect(await type(stage, 'restore prices lamp --at 2', true)).toMatchObject({ code: 0 })
    expect(await type(stage, 'restore prices lamp --at 1 --yes', false)).toMatchObject({ code: 0 })
    expect((await type(stage, 'log prices lamp --json')).json()).toHaveLength(6)
  })
})

test('twiglog rev stats counts revisions and what they take, of a key or of all', async () => {
  await using stage = await opened()
  const fullBytes = lamp(1).length * 3
  expect((await type(stage, 'stats prices lamp --json')).json()).toMatchObject([
    { keys: 1, revisions: 4, tombstones: 1, fullBytes },
  ])
  expect((await type(stage, 'stats prices --json')).json()).toMatchObject([{ keys: 2, revisions: 5 }])
  expect((await type(stage, 'stats prices')).out).toMatch(/Revisions +5, 1 of them deletions\n/)
  const odd = [0xfd, 0xfe, 0xff].map((byte) => ({ key: Buffer.from([byte]), value: 'odd' }))
  await stage.send('prices', odd)
  expect((await type(stage, 'stats prices --json')).json()).toMatchObject([{ keys: 5, revisions: 8 }])
})

test("a producer's own header that is called as one of the broker's is not taken for it", async () => {
  await using stage = await opened()
  await stage.send('prices', [
    { key: 'forged', value: 'v', headers: { 'rev.base': '7', 'rev.format': 'vcdiff', rev: '9' } },
  ])
  const [told] = (await type(stage, 'show prices forged --delta --json')).json()
  expect(told).toMatchObject({ rev: 1, format: 'full' })
  expect(told).not.toHaveProperty('base')
})

test('in a cluster every partition is asked at the node that leads it', async () => {
  await using stage = await Stage.open({ brokers: 3 })
  await stage.create('docs', 6, { 'revision.diff': true })
  for (let partition = 0; partition < 6; partition++) {
    await stage.send(
      'docs',
      [
        { key: `k${partition}`, value: 'a' },
        { key: `k${partition}`, value: 'b' },
      ],
      partition,
    )
  }
  for (let partition = 0; partition < 6; partition++) {
    const told = (await type(stage, `log docs k${partition} --json`)).json()
    expect(told).toMatchObject([
      { rev: 2, partition },
      { rev: 1, partition },
    ])
  }
  expect((await type(stage, 'restore docs k4 --at 1')).code).toBe(0)
  expect((await type(stage, 'show docs k4')).out).toBe('a')
})

test('what is packed is told as before, and takes less', async () => {
  await using packs = await Packs.open()
  const { stage } = packs
  await packs.create('docs')
  const sent = await packs.revise('docs', 'k', 60)
  await packs.send('docs', [{ key: 'other', value: 'closes the segment' }])
  await packs.packed()
  const told = (await type(stage, 'log docs k --json')).json()
  expect(told.map(({ rev }) => rev)).toEqual(sent.map((_, i) => 60 - i))
  expect(told.filter(({ format }) => format === 'vcdiff').length).toBeGreaterThan(50)
  const [stats] = (await type(stage, 'stats docs k --json')).json() as { fullBytes: number; storedBytes: number }[]
  expect(stats!.storedBytes).toBeLessThan(stats!.fullBytes / 4)
  expect((await type(stage, 'show docs k --at 30')).out).toBe(sent[29]!.value)
  expect((await type(stage, 'diff docs k 30 31')).out).toContain('+++ revision 31')
  await type(stage, 'restore docs k --at 30')
  expect((await type(stage, 'show docs k')).out).toBe(sent[29]!.value)
})

test.each([
  ['restore prices lamp', 'say with --at which revision'],
  ['show prices lamp --at yesterday', 'rev:N, offset:N'],
  ['show prices ! --key-base64', 'is no base64'],
  ['diff prices lamp 1 x', 'no number of a revision'],
  ['diff prices lamp 1 2 --at 3', 'leave one out'],
  ['log prices', "missing required argument 'key'"],
  ['log prices lamp -n 0', 'A number from 1 on is expected'],
])('%s makes no sense, and the answer says why', async (line, why) => {
  const { code, err } = await type(undefined, line)
  expect(code).toBe(2)
  expect(err).toContain(why)
})

test('where no broker answers the exit code is 5', async () => {
  expect(await type(undefined, 'log prices lamp --bootstrap 127.0.0.1:1')).toMatchObject({ code: 5 })
})
