// node dist/bench/revision/sizes.js [--revisions N]: what 1,000 revisions of one key take as they are, in batches that a producer has
// compressed, in a pack, and in the hands of programs that see all of them at once: xz, and git with its most patient repack. Bytes
// alone, so it may run on a busy machine.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { encodeBatch } from '../../protocol/records/builder.ts'
import { PackCache } from '../../src/revision/pack-cache.ts'
import { drawing, edited, noise } from '../../test/revision/delta-pairs.ts'
import { revisions } from '../../test/revision/documents.ts'
import { packOf } from '../../test/revision/pack-stage.ts'

const { values: options } = parseArgs({ options: { revisions: { type: 'string', default: '1000' } } })
const count = Number(options.revisions)
/** What producers put into one batch at most. */
const batchBytes = 900_000

type Kind = { readonly name: string; readonly values: () => Buffer[] }

const kinds: readonly Kind[] = [
  { name: '4 KB of JSON, small edits', values: () => revisions(drawing(2), 1, count, 4096).map(([, value]) => value) },
  { name: 'a text of 20 KB, lines edited', values: text },
  { name: 'a document that grows to 50 KB', values: growing },
  // A tenth of them: a gigabyte is more than one pack holds.
  { name: '1 MB of noise, three edits each', values: blobs },
]

function text(): Buffer[] {
  const draw = drawing(7)
  const words = Array.from({ length: 800 }, () => noise(draw, 3 + draw(6)).toString('hex'))
  const sentence = () => Array.from({ length: 8 }, () => words[draw(words.length)]).join(' ')
  const lines = Array.from({ length: 200 }, sentence)
  return Array.from({ length: count }, () => {
    for (let edit = 0; edit < 2; edit++) lines[draw(lines.length)] = sentence()
    return Buffer.from(lines.join('\n'))
  })
}

function growing(): Buffer[] {
  const draw = drawing(5)
  let all = ''
  return Array.from({ length: count }, (_, i) => {
    all += `${1_700_000_000_000 + i * 977} ${noise(draw, 12).toString('hex')} line ${i}\n`
    return Buffer.from(all)
  })
}

function blobs(): Buffer[] {
  const draw = drawing(6)
  let blob = noise(draw, 1 << 20)
  return Array.from({ length: Math.ceil(count / 10) }, () => {
    blob = edited(draw, blob, 3)
    return blob
  })
}

/** Batches as full as producers make them. */
function* batches(values: readonly Buffer[], codec: 'none' | 'gzip' | 'zstd'): Generator<Buffer> {
  let records: { key: Buffer; value: Buffer; timestamp: number }[] = []
  let bytes = 0
  let baseOffset = 0
  const key = Buffer.from('document')
  for (const [i, value] of values.entries()) {
    if (records.length > 0 && bytes + value.length > batchBytes) {
      yield encodeBatch({ baseOffset, records, codec })
      baseOffset += records.length
      records = []
      bytes = 0
    }
    records.push({ key, value, timestamp: 1_700_000_000_000 + 1_000 * i })
    bytes += value.length
  }
  yield encodeBatch({ baseOffset, records, codec })
}

const sum = (buffers: Iterable<Buffer>): number => {
  let total = 0
  for (const { length } of buffers) total += length
  return total
}

function ofXz(values: readonly Buffer[]): number | undefined {
  const { stdout, status } = spawnSync('xz', ['-9e', '-T1', '-c'], { input: Buffer.concat(values), maxBuffer: 1 << 30 })
  return status === 0 ? stdout.length : undefined
}

/** One file, committed again and again. */
function ofGit(values: readonly Buffer[]): number | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'twiglog-sizes-'))
  const git = (args: readonly string[], input?: Buffer) =>
    spawnSync('git', ['-C', folder, ...args], { ...(input === undefined ? {} : { input }), maxBuffer: 1 << 30 })
      .status === 0
  const stream = values.flatMap((value, i) => [
    Buffer.from(`commit refs/heads/all\ncommitter a <a> ${1_700_000_000 + i} +0000\ndata 0\n`),
    Buffer.from(`M 100644 inline document\ndata ${value.length}\n`),
    value,
    Buffer.from('\n'),
  ])
  try {
    const isMade = git(['init', '--quiet', '--bare']) && git(['fast-import', '--quiet'], Buffer.concat(stream))
    if (!isMade || !git(['repack', '-a', '-d', '-f', '-q', '--depth=250', '--window=250'])) return undefined
    const packs = join(folder, 'objects', 'pack')
    return readdirSync(packs).reduce((total, name) => total + statSync(join(packs, name)).size, 0)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

for (const { name, values: make } of kinds) {
  const values = make()
  const full = [...batches(values, 'none')]
  const { packed } = packOf(full, {}, new PackCache(), false)
  const perRevision = (bytes: number | undefined) =>
    bytes === undefined ? undefined : Math.round((10 * bytes) / values.length) / 10
  const line = {
    journey: 'sizes',
    of: name,
    revisions: values.length,
    unit: 'bytes per revision',
    full: perRevision(sum(full)),
    gzipBatches: perRevision(sum(batches(values, 'gzip'))),
    zstdBatches: perRevision(sum(batches(values, 'zstd'))),
    pack: perRevision(packed.storedBytes),
    xz: perRevision(ofXz(values)),
    git: perRevision(ofGit(values)),
  }
  process.stdout.write(`${JSON.stringify(line)}\n`)
}
