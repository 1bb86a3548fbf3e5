// What retention takes is counted before it goes, so that numbers go on: a slice at a time beside everything else, whatever else happens.

import { expect, test } from 'vitest'
import type { CodecName } from '../../protocol/records/compression.ts'
import { drawing } from './delta-pairs.ts'
import { RevisionWorld } from './revision-world.ts'

const keys = ['a', 'b', 'c', 'd', 'long'.repeat(20)]
const codecs: CodecName[] = ['none', 'gzip', 'lz4']

function check({ revisions, visible }: RevisionWorld): void {
  for (const key of keys) {
    const told = revisions.of(Buffer.from(key)).map(({ rev, offset }) => [rev, offset])
    expect(told).toEqual(visible.filter((of) => of.key === key).map(({ rev, offset }) => [rev, offset]))
  }
}

/** Answers how often it had to be waited for. */
async function play(seed: number): Promise<number> {
  const draw = drawing(seed)
  const world = new RevisionWorld({ segmentBytes: 300 + draw(1500) })
  const write = () => {
    const records = Array.from({ length: 1 + draw(4) }, () => ({
      key: keys[draw(keys.length)]!,
      value: draw(8) === 0 ? null : 'v'.repeat(draw(80)),
    }))
    const codec = codecs[draw(codecs.length)]!
    if (draw(4) > 0) return world.write(records, codec)
    const producerId = 1 + draw(5)
    world.write(records, codec, producerId)
    world.end(producerId, draw(2) === 0 ? 'COMMIT' : 'ABORT')
  }
  const someOffset = () => world.log.logStartOffset + draw(world.log.logEndOffset - world.log.logStartOffset + 1)
  const trim = () => world.trim(someOffset())
  const others = [() => {}, write, trim, () => world.revisions, () => world.log.roll()]
  let waited = 0
  for (let step = 0; step < 40; step++) {
    const choice = draw(12)
    if (choice < 6) write()
    else if (choice < 8) waited += Number(await world.retain(draw(4) * 1000, others[draw(others.length)]))
    else if (choice === 8) await world.reopen()
    else if (choice === 9) waited += Number(await world.trimAtEase(someOffset(), others[draw(others.length)]))
    else {
      await world.log.flush()
      const { packable } = world.log
      const first = draw(Math.max(1, packable.length))
      if (packable.length > 0) await world.pack(packable.slice(first, first + 1 + draw(3)), () => draw(4) === 0)
    }
    if (draw(4) === 0) check(world)
  }
  await world.reopen()
  check(world)
  return waited
}

test('numbers go on behind what retention has taken, counted ahead or not, packed or not, whatever comes between', async () => {
  const soakMs = 1000 * Number(process.env['TWIGLOG_SOAK_SECONDS'] ?? 0)
  const until = Date.now() + soakMs
  const first = Number(process.env['TWIGLOG_SEED'] ?? Math.floor(Math.random() * 2 ** 30))
  console.log(`seed ${first}`)
  let waited = 0
  for (let seed = first; seed < first + 60 || Date.now() < until; seed++) {
    try {
      waited += await play(seed)
    } catch (cause) {
      throw new Error(`TWIGLOG_SEED=${seed}: ${(cause as Error).message}`, { cause })
    }
  }
  expect(waited).toBeGreaterThan(30)
}, 300_000)

test('of a large segment a slice is counted at a time, and nothing of it when it goes', async () => {
  const world = new RevisionWorld({ segmentBytes: 1 << 20 })
  for (let i = 0; i < 500; i++) world.write([{ key: `key-${i % 400}`, value: 'v'.repeat(1000) }])
  world.log.roll()
  world.write([{ key: 'key-7', value: 'last' }])
  const before = world.log.segments.length
  const read = { bytes: 0 }
  const isWaitedFor = await world.retain(0, () => {
    // From here on they go.
    for (const segment of world.log.segments.slice(0, -1)) {
      const { file } = segment
      const own = file.read.bind(file)
      file.read = (position: number, byteCount: number) => {
        read.bytes = Math.max(read.bytes, byteCount)
        return own(position, byteCount)
      }
    }
  })
  expect(isWaitedFor).toBe(true)
  expect(before).toBeGreaterThan(1)
  expect(world.log.segments).toHaveLength(1)
  // Windows of the walk.
  expect(read.bytes).toBeLessThanOrEqual(256 * 1024)
  world.write([{ key: 'key-7', value: 'next' }])
  expect(world.revisions.newest(Buffer.from('key-7'))?.rev).toBe(4)
})

test('what is counted before records are deleted is not counted again when they go, and anew where it was too much', async () => {
  const world = new RevisionWorld({ segmentBytes: 1000 })
  for (let i = 0; i < 40; i++) world.write([{ key: `key-${i % 4}`, value: 'v'.repeat(100) }])
  const end = world.log.logEndOffset
  expect(world.log.segments.length).toBeGreaterThan(3)
  // Of all that was there the last file stays, for it is written to.
  expect(await world.trimAtEase(end, () => world.write([{ key: 'key-0', value: 'new' }]))).toBe(true)
  expect(world.log.segments).toHaveLength(1)
  expect(await world.trimAtEase(world.log.logEndOffset)).toBe(true)
  expect(await world.trimAtEase(world.log.logEndOffset)).toBe(false)
  world.write([{ key: 'key-0', value: 'last' }])
  await world.reopen()
  expect(world.revisions.newest(Buffer.from('key-0'))?.rev).toBe(12)
})

test('a start between the retention of all there is and the last file lets go of that, and numbers go on all the same', async () => {
  const world = new RevisionWorld({ segmentBytes: 1 << 20 })
  for (let i = 0; i < 5; i++) world.write([{ key: 'a', value: `${i}` }])
  Object.assign(world.config, { retentionBytes: 0 })
  world.log.retain(world.now)
  // The disk takes its time.
  expect(world.log.segments.length).toBe(2)
  await world.reopen()
  world.write([{ key: 'a', value: 'next' }])
  await world.reopen()
  expect(world.revisions.newest(Buffer.from('a'))).toMatchObject({ rev: 6, offset: 5 })
})
