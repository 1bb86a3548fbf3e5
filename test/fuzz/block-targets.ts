// Decoders that stand behind a checksum, without it: blocks of packs, and the numbers of revisions that keep rules have taken. A bit
// that turns over never comes so far, so bytes that were changed in a whole pack would only ever try the checksum.

import { crc32c } from '../../protocol/crc32c.ts'
import { CarriedCounts } from '../../src/revision/carried-counts.ts'
import { DeltaError } from '../../src/revision/decode-delta.ts'
import { hashKey } from '../../src/revision/key-hash.ts'
import { Blocks } from '../../src/revision/pack-blocks.ts'
import { EntryBlock } from '../../src/revision/pack-entries.ts'
import { readFooter, sectionOf } from '../../src/revision/pack-format.ts'
import { Frame } from '../../src/revision/pack-frames.ts'
import { ValueBlock } from '../../src/revision/pack-values.ts'
import { Words } from '../../src/revision/value-memory.ts'
import { packOf, randomLog } from '../revision/pack-stage.ts'
import type { Target } from './fuzzing.ts'

/** Numbers in a row of the footer: frames have two more. */
const rowLengths = { values: 5, entries: 5, frames: 7 } as const
type Kind = keyof typeof rowLengths

const blocks = new Map<Kind, Buffer[]>()
function blocksOf(kind: Kind): Buffer[] {
  const known = blocks.get(kind)
  if (known !== undefined) return known
  const found = [1, 2, 3].flatMap((seed) => {
    const { batches, revs } = randomLog(seed)
    const { file } = packOf(batches, { revs })
    const all = new Blocks(file(), readFooter(file()).floats(sectionOf[kind]), kind, rowLengths[kind])
    return Array.from({ length: Math.min(2, all.count) }, (_, i) => all.load(i)).filter(({ length }) => length < 20_000)
  })
  blocks.set(kind, found)
  return found
}

const roughly = (count: number): number => Math.min(8, Math.ceil(Math.log2(count + 1)))

const entries: Target = {
  name: 'pack-entries',
  bytesMax: 20_000,
  seeds: () => blocksOf('entries'),
  run: (bytes) => {
    const block = new EntryBlock(bytes, 0)
    const { revs } = block.places
    if (block.stored.length !== block.count || revs.length !== block.count) throw new Error('columns of two lengths')
    return `${roughly(block.count)}`
  },
}

const frames: Target = {
  name: 'pack-frames',
  bytesMax: 20_000,
  seeds: () => blocksOf('frames'),
  run: (bytes) => {
    const frame = new Frame(bytes, 0)
    if (frame.entries.length > bytes.length) throw new Error(`${frame.entries.length} records of ${bytes.length} bytes`)
    return `${roughly(frame.batchCount)} ${roughly(frame.entries.length)}`
  },
}

/** What is made of a delta lies between these, and nothing is written beside it. */
const wall = 0xa5
const targetBytes = 4000
const source = new Words(Buffer.alloc(3000, 'source '))
const values: Target = {
  name: 'pack-values',
  bytesMax: 20_000,
  refusals: [DeltaError],
  seeds: () => blocksOf('values'),
  run: (bytes) => {
    const room = ValueBlock.byteCountOf(bytes.length, ValueBlock.countIn(bytes))
    const slab = Buffer.alloc(room + 16, wall)
    const block = new ValueBlock(bytes, new Words(slab), 0, 0)
    if (block.end > room) throw new Error(`${block.end} bytes in room for ${room}`)
    let deltas = 0
    for (let i = 0; i < Math.min(block.count, 20); i++) {
      const place = block.place(i)
      if (place >= 0) continue
      deltas++
      const target = Buffer.alloc(targetBytes + 32, wall)
      block.apply(place, source, 0, source.bytes.length, new Words(target), 16, targetBytes)
      const isBeside = (byte: number, at: number) => (at < 16 || at >= 16 + targetBytes) && byte !== wall
      if (target.some(isBeside)) throw new Error('it has written beside its value')
    }
    return `${roughly(block.count)} ${roughly(deltas)}`
  },
}

function counted(): Buffer {
  const counts = new CarriedCounts(hashKey)
  for (const [i, text] of ['a', 'b', 'a key that is longer', 'b'].entries()) {
    const key = Buffer.from(text)
    counts.note(hashKey(key, 0, key.length), key, 0, key.length, i + 1, 10 * i, 0)
  }
  return counts.encode()
}
const counts: Target = {
  name: 'carried-counts',
  seeds: () => [new CarriedCounts(hashKey).encode(), counted()],
  mend: (bytes) => {
    if (bytes.length < 4) return bytes
    const mended = Buffer.from(bytes)
    mended.writeUInt32BE(crc32c(mended, 0, mended.length - 4), mended.length - 4)
    return mended
  },
  run: (bytes) => `${roughly(CarriedCounts.decode(bytes, hashKey, 'revisions').keyCount)}`,
}

export const blockTargets: readonly Target[] = [entries, frames, values, counts]
