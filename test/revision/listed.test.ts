// What a list tells of records that were packed, left out or written before anybody kept revisions: numbers that stay what they were, and
// how a value is stored.

import { expect, test } from 'vitest'
import { decodeDelta } from '../../src/revision/decode-delta.ts'
import { OutlivingStore } from './counting-store.ts'
import { drawing, noise } from './delta-pairs.ts'
import { Packs, revisionOf } from './packs.ts'
import { trim, view } from './stage.ts'

type Listed = {
  key: string
  rev: number
  offset: number
  size: number
  stored: number
  format: 'full' | 'vcdiff' | 'tombstone'
}

/** What a list of all keys, made anew, tells from its first record to its end. */
async function listed({ stage }: Packs, topic: string, name: string): Promise<Listed[]> {
  await view(stage, topic, 'list', name)
  const found: Listed[] = []
  const consumer = stage.kafka.consumer({ groupId: name, maxWaitTimeInMs: 100 })
  await consumer.connect()
  const [{ high } = { high: 0 }] = await stage.ends(name)
  await consumer.subscribe({ topic: name, fromBeginning: true })
  await new Promise<void>((resolve, reject) => {
    const eachMessage = async ({ message }: { message: { offset: string; value: Buffer | null } }) => {
      found.push(JSON.parse(String(message.value)) as Listed)
      if (Number(message.offset) === high - 1) resolve()
    }
    consumer.run({ eachMessage }).catch(reject)
  })
  await consumer.disconnect()
  return found
}

const placesOf = (rows: readonly Listed[]) => rows.map(({ key, rev, offset }) => [key, rev, offset])

async function configure(packs: Packs, topic: string, configs: Record<string, string>): Promise<void> {
  const configEntries = Object.entries(configs).map(([name, value]) => ({ name, value }))
  await packs.stage.admin.alterConfigs({ validateOnly: false, resources: [{ type: 2, name: topic, configEntries }] })
}

test('R14: the ten newest have the numbers that they were given, after a start too, and the next ones go on from there', async () => {
  await using packs = await Packs.open(new OutlivingStore())
  await packs.create('docs', { 'revision.keep': 'last:10' })
  const keys = ['a', 'b', 'c']
  const sent: [string, number, number][] = []
  for (let round = 0; round < 5; round++) {
    for (const key of keys) {
      const of = await packs.revise('docs', key, 20, { from: 1 + 20 * round, atOnce: 20 })
      sent.push(...of.map(({ offset }, i): [string, number, number] => [key, 1 + 20 * round + i, offset]))
    }
  }
  const [end] = await packs.send('docs', [{ key: 'end', value: 'end' }])
  const expected = keys
    .flatMap((key) => sent.filter(([of]) => of === key).slice(-10))
    .concat([['end', 1, end!.offset]])
    .sort((a, b) => a[2] - b[2])
  for (let i = 0; placesOf(await listed(packs, 'docs', `list-${i}`)).length > expected.length; i++) await packs.packed()
  expect(placesOf(await listed(packs, 'docs', 'after'))).toEqual(expected)
  await packs.stage.restart()
  expect(placesOf(await listed(packs, 'docs', 'after-a-start'))).toEqual(expected)
  const [next] = await packs.revise('docs', 'b', 1, { from: 101 })
  expect(placesOf(await listed(packs, 'docs', 'next')).at(-1)).toEqual(['b', 101, next!.offset])
})

test('R4, R15: deltas of what a keep rule has left lead from each revision to the next that is kept, and the oldest is whole', async () => {
  await using packs = await Packs.open()
  await packs.create('docs', { 'revision.keep': 'hourly:24', 'revision.pack.lag.ms': 3_600_000 })
  const hour = 3_600_000
  const noon = (Math.floor(Date.now() / hour) - 20) * hour
  // Three an hour: the third of each stays.
  const values = Array.from({ length: 30 }, (_, i) => revisionOf('k', i + 1))
  for (const [i, value] of values.entries()) {
    await packs.send('docs', [{ key: 'k', value, timestamp: String(noon + (i * hour) / 3) }])
  }
  await packs.send('docs', [{ key: 'end', value: 'end' }])
  await configure(packs, 'docs', {
    'revision.diff': 'true',
    'revision.keep': 'hourly:24',
    'revision.pack.lag.ms': '0',
    'segment.ms': '1',
  })
  await packs.packed()
  await view(packs.stage, 'docs', 'diff', 'docs-diff', { 'view.key': 'k' })
  let before: Buffer = Buffer.alloc(0)
  for (const [i, { offset, value, headers }] of (await packs.stage.read('docs-diff', 10)).entries()) {
    const rev = 3 * i + 3
    const told = ['rev', 'rev.base', 'rev.base.offset', 'rev.format'].map((name) => headers?.[name]?.toString())
    expect([Number(offset), ...told]).toEqual(
      i === 0
        ? [rev - 1, `${rev}`, undefined, undefined, 'full']
        : [rev - 1, `${rev}`, `${rev - 3}`, `${rev - 4}`, 'vcdiff'],
    )
    before = i === 0 ? value! : decodeDelta(before, value!, 10_000)
    expect(String(before)).toBe(values[rev - 1])
  }
})

test('R10: the same value again is a revision with a number of its own, of which 32 bytes are stored at most', async () => {
  await using packs = await Packs.open()
  await packs.create('docs')
  const value = revisionOf('k', 1, 4000)
  for (let i = 0; i < 20; i++) await packs.send('docs', [{ key: 'k', value }])
  await packs.send('docs', [{ key: 'end', value: 'end' }])
  await packs.packed()
  const rows = (await listed(packs, 'docs', 'docs-list')).filter(({ key }) => key === 'k')
  expect(rows.map(({ rev, size }) => [rev, size])).toEqual(rows.map((_, i) => [i + 1, Buffer.byteLength(value)]))
  expect(rows).toHaveLength(20)
  // The first of each pack is whole.
  const again = rows.filter(({ format }) => format === 'vcdiff')
  expect(again.length).toBeGreaterThanOrEqual(
    20 - (await packs.files()).filter((path) => path.endsWith('.pack')).length,
  )
  for (const { stored } of again) expect(stored).toBeLessThanOrEqual(32)
})

test.each([
  [1000, 'whole', Array(21).fill('full')],
  [16_777_216, 'as deltas', ['full', ...Array(19).fill('vcdiff'), 'full']],
])('R17: with revision.diff.max.bytes=%i values of 4,000 bytes are stored %s', async (max, _, expected) => {
  await using packs = await Packs.open()
  const configs = { 'revision.diff.max.bytes': max }
  await packs.create('docs', { ...configs, 'revision.pack.lag.ms': 3_600_000 })
  await packs.revise('docs', 'k', 20, { atOnce: 5, bytes: 4000 })
  await packs.send('docs', [{ key: 'end', value: 'end' }])
  // All at once: the first of each pack is whole.
  await configure(packs, 'docs', {
    'revision.diff': 'true',
    'revision.diff.max.bytes': String(max),
    'revision.pack.lag.ms': '0',
    'segment.ms': '1',
  })
  await packs.packed()
  expect((await listed(packs, 'docs', 'docs-list')).map(({ format }) => format)).toEqual(expected)
})

test.each([
  ['a file for each record', 1, 1],
  ['one file', 3_600_000, 1],
  ['one batch', 3_600_000, 10],
])(
  'R11: turned on, numbers begin at the log start and stay so, whoever has looked before, of %s',
  async (_, segmentMs, atOnce) => {
    await using packs = await Packs.open(new OutlivingStore())
    const { stage } = packs
    const topics = ['unseen', 'seen']
    const expected = [4, 5, 6, 7, 8, 9].map((offset, i) => [`k${offset % 2}`, 1 + Math.floor(i / 2), offset])
    const end = ['end', 1, 10]
    const told = async (when: string) =>
      Promise.all(topics.map(async (topic) => placesOf(await listed(packs, topic, `${topic}-${when}`))))
    for (const topic of topics) {
      await stage.create(topic, 1, { 'segment.ms': segmentMs })
      const messages = Array.from({ length: 10 }, (_, i) => ({ key: `k${i % 2}`, value: `${i}` }))
      for (let at = 0; at < 10; at += atOnce) await packs.send(topic, messages.slice(at, at + atOnce))
      // On a topic that keeps no revisions numbers count what is there.
      if (topic === 'seen') expect(await listed(packs, topic, 'before')).toHaveLength(10)
      await trim(stage, topic, 4)
      await configure(packs, topic, { 'revision.diff': 'true', 'segment.ms': String(segmentMs) })
    }
    expect(await told('on')).toEqual([expected, expected])
    await stage.restart()
    expect(await told('after-a-start')).toEqual([expected, expected])
    for (const topic of topics) {
      await configure(packs, topic, { 'revision.diff': 'true', 'revision.pack.lag.ms': '0', 'segment.ms': '1' })
      await packs.send(topic, [{ key: 'end', value: 'end' }])
    }
    await packs.packed(topics.length)
    expect(await told('packed')).toEqual([
      [...expected, end],
      [...expected, end],
    ])
    await stage.restart()
    expect(await told('packed-after-a-start')).toEqual([
      [...expected, end],
      [...expected, end],
    ])
  },
)

test('R7: the end of a state never goes back, while keys are written, deleted and packed by a keep rule', async () => {
  await using packs = await Packs.open()
  const { stage } = packs
  await packs.create('docs', { 'revision.keep': 'last:1' })
  await view(stage, 'docs', 'state', 'now')
  const draw = drawing(7)
  let end = 0
  for (let i = 0; i < 150; i++) {
    const value = draw(4) === 0 ? null : noise(draw, 100).toString('latin1')
    const [sent] = await packs.send('docs', [{ key: `k${draw(5)}`, value }])
    const { high } = (await stage.ends('now'))[0]!
    expect(high).toBeGreaterThanOrEqual(end)
    expect(high).toBe(sent!.offset + 1)
    end = high
  }
  await packs.packed()
  expect((await stage.ends('now'))[0]!.high).toBe(end)
})
