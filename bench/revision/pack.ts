// node dist/bench/revision/pack.js [name]: what revisions cost in a pack, beside what xz makes of all their values at once, and what it
// costs to make and to read it. Nothing but this process is measured, in CPU seconds, so it may run on a busy machine.

import { spawnSync } from 'node:child_process'
import { encodeBatch } from '../../protocol/records/builder.ts'
import { hashKey } from '../../src/revision/key-hash.ts'
import { Pack } from '../../src/revision/pack.ts'
import { PackCache } from '../../src/revision/pack-cache.ts'
import { borrow } from '../../src/storage/file.ts'
import { drawing, edited, noise } from '../../test/revision/delta-pairs.ts'
import { revisions } from '../../test/revision/documents.ts'
import { packOf } from '../../test/revision/pack-stage.ts'

type Revision = readonly [key: string, value: Buffer]
/** `isLarge`: xz would take minutes. */
type Journey = { name: string; revisions: () => Revision[]; perBatch: number; goal?: string; isLarge?: true }

const appended = (draw: ReturnType<typeof drawing>, count: number): Revision[] => {
  let text = ''
  return Array.from({ length: count }, (_, i) => {
    text += `${1_700_000_000_000 + i * 977} ${noise(draw, 12).toString('hex')} line ${i}\n`
    return ['log', Buffer.from(text)]
  })
}

const blobs = (draw: ReturnType<typeof drawing>, count: number): Revision[] => {
  let blob = noise(draw, 1 << 20)
  return Array.from({ length: count }, () => {
    blob = edited(draw, blob, 3)
    return ['blob', blob]
  })
}

const journeys: readonly Journey[] = [
  {
    name: '200 keys x 40 of 4 KB JSON',
    revisions: () => revisions(drawing(1), 200, 40, 4096),
    perBatch: 1,
    goal: '<= 3 %',
  },
  {
    name: '1 key x 1,000 of 4 KB JSON',
    revisions: () => revisions(drawing(2), 1, 1000, 4096),
    perBatch: 1,
    goal: '<= 2 %',
  },
  { name: 'the same, 20 in a batch', revisions: () => revisions(drawing(2), 1, 1000, 4096), perBatch: 20 },
  { name: '1 key x 1,000 of 64 KB JSON', revisions: () => revisions(drawing(3), 1, 1000, 65_536), perBatch: 1 },
  { name: '20,000 keys x 3 of 400 B JSON', revisions: () => revisions(drawing(4), 20_000, 3, 400), perBatch: 50 },
  {
    name: '500 x 4 KB of noise',
    revisions: () => Array.from({ length: 500 }, (_, i) => [`k${i % 50}`, noise(drawing(i), 4096)]),
    perBatch: 1,
    goal: '<= 102 %',
  },
  { name: '1,000 of a text that grows to 50 KB', revisions: () => appended(drawing(5), 1000), perBatch: 1 },
  // What a first read through a whole pack costs where neither its values nor, of the second, its blocks are few.
  {
    name: '2,000 keys x 32 of 4 KB JSON, 20 in a batch',
    revisions: () => revisions(drawing(7), 2000, 32, 4096),
    perBatch: 20,
    isLarge: true,
  },
  {
    name: '100,000 keys x 6 of 400 B JSON, 50 in a batch',
    revisions: () => revisions(drawing(8), 100_000, 6, 400),
    perBatch: 50,
    isLarge: true,
  },
  { name: '60 x 1 MB of noise, 3 edits each', revisions: () => blobs(drawing(6), 60), perBatch: 1 },
]

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

function timed<T>(work: () => T): [result: T, seconds: number] {
  const start = cpuSeconds()
  const result = work()
  return [result, cpuSeconds() - start]
}

const round = (number: number, digits = 0): number => Math.round(number * 10 ** digits) / 10 ** digits

function compressed(command: string, args: string[], values: Buffer): number | undefined {
  const { stdout, status } = spawnSync(command, args, { input: values, maxBuffer: 1 << 30 })
  return status === 0 ? stdout.length : undefined
}

function toBatches(all: readonly Revision[], perBatch: number): Buffer[] {
  const batches: Buffer[] = []
  const draw = drawing(9)
  let time = 1_700_000_000_000
  for (let i = 0; i < all.length; i += perBatch) {
    const records = all.slice(i, i + perBatch).map(([key, value]) => {
      time += draw(2000)
      return { key, value, timestamp: time }
    })
    batches.push(encodeBatch({ baseOffset: i, partitionLeaderEpoch: 0, records }))
  }
  return batches
}

/** Milliseconds of one value read with nothing in memory, on average over revisions all over the pack. */
function coldRead(open: (cache: PackCache) => Pack, keys: readonly string[]): number {
  const reads = 40
  const cached = open(new PackCache())
  const [, seconds] = timed(() => {
    for (let i = 0; i < reads; i++) {
      const pack = open(new PackCache())
      const key = Buffer.from(keys[(i * 7919) % keys.length]!)
      const newest = pack.newest(hashKey(key, 0, key.length), key)
      const first = cached.keys().firstEntries[cached.find(hashKey(key, 0, key.length), key)]!
      pack.value(first + Math.floor(((newest - first) * i) / (reads - 1)))
    }
  })
  return (seconds / reads) * 1000
}

const wanted = process.argv[2] ?? ''
for (const { name, revisions, perBatch, goal, isLarge } of journeys.filter(({ name }) => name.includes(wanted))) {
  const all = revisions()
  const batches = toBatches(all, perBatch)
  const full = batches.reduce((sum, { length }) => sum + length, 0)
  const [made, buildSeconds] = timed(() => packOf(batches, {}, new PackCache(), false))
  const { packed, file } = made
  const opened = file()
  const open = (cache: PackCache) => Pack.open(opened, cache)
  const values = () => Buffer.concat(all.toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, value]) => value))
  const xz = isLarge ? undefined : compressed('xz', ['-9e', '-T1', '-c'], values())
  // As in a broker: what one pack had in memory is there for the next.
  const cache = new PackCache()
  const read = () => {
    const pack = open(cache)
    const rebuilt = pack.asFile()
    for (let position = 0; position < rebuilt.length; ) {
      position += borrow(rebuilt.read(position, 1 << 20), ({ length }) => length)
    }
    pack.close()
  }
  const [, readSeconds] = timed(read)
  // Nothing of the pack is in memory, but the code is compiled, as in a broker that has run for a minute.
  const [, againSeconds] = timed(read)
  const pack = open(new PackCache())
  const entries = Array.from({ length: Math.min(20_000, pack.entryCount) }, (_, entry) => pack.entry(entry))
  const line = {
    journey: 'pack',
    of: name,
    percent: round((100 * packed.storedBytes) / full, 2),
    ...(goal === undefined ? {} : { goal }),
    bytesPerRevision: round(packed.storedBytes / all.length, 1),
    ofXz: xz === undefined ? undefined : round(packed.storedBytes / xz, 2),
    fullShare: round(entries.filter(({ format }) => format === 'full').length / entries.length, 3),
    buildMbPerCpuSecond: round(full / buildSeconds / 1e6),
    readMbPerCpuSecond: round(full / readSeconds / 1e6),
    readAgainMbPerCpuSecond: round(full / againSeconds / 1e6),
    coldReadMs: round(
      coldRead(
        open,
        all.map(([key]) => key),
      ),
      2,
    ),
  }
  process.stdout.write(`${JSON.stringify(line)}\n`)
}
