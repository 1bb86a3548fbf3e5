// `twiglog check`: a fault of every kind is put into a sound data folder, and found; what a crash leaves is only noted.

import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as batch from '../../protocol/records/batch.ts'
import { MetadataLog } from '../../src/broker/metadata-log.ts'
import { check } from '../../src/cli/check.ts'
import { checkLog, type Finding } from '../../src/log/check.ts'
import { CheckedFiles } from '../../src/log/checked-files.ts'
import { decodeIndex, encodeIndex } from '../../src/log/index-file.ts'
import { Log } from '../../src/log/log.ts'
import { systemClock } from '../../src/storage/clock.ts'
import { PlainStore } from '../../src/storage/plain-file.ts'
import { identityOf } from '../file-identity.ts'
import { append, batchOf, counted, readAll, smallConfig } from './log-environment.ts'

const topicId = 'AAAAAAAAAAAAAAAAAAAAAQ'
const folder = `topics/${topicId}/0`
const config = { ...smallConfig, segmentBytes: 1000, indexIntervalBytes: 150 }
let sound: string
const copies: string[] = []

/** A data folder that a broker has left in order: 60 records in several segments. */
beforeAll(async () => {
  sound = mkdtempSync(join(tmpdir(), 'twiglog-check-'))
  copies.push(sound)
  const store = new PlainStore(sound)
  const metadata = new MetadataLog(store, systemClock)
  await metadata.commit([{ v: 1, type: 'cluster', id: 'c', at: 1 }])
  await metadata.commit([
    { v: 1, type: 'topic', id: topicId, name: 'orders', partitions: 2, configs: {}, at: 1 },
    { v: 1, type: 'topic', id: 'never-written', name: 'idle', partitions: 3, configs: {}, at: 1 },
  ])
  await metadata.close()
  const log = new Log(store, folder, config)
  for (let i = 0; i < 60; i++) {
    const codec = i % 5 === 0 ? 'gzip' : 'none'
    const producer = { id: 1, epoch: 0, sequence: i }
    log.append(batchOf([`v${i}`], { time: 1000 + 10 * i, codec, producer }), { leaderEpoch: i < 30 ? 0 : 1, now: 1 })
    await log.flush()
  }
  await log.close()
})
afterAll(() => {
  for (const root of copies) rmSync(root, { recursive: true, force: true })
})

type Place = { root: string; at(name: string): string; segments: string[]; active: string }

function damagedCopy(damage: (place: Place) => void): string {
  const root = mkdtempSync(join(tmpdir(), 'twiglog-check-'))
  copies.push(root)
  cpSync(sound, root, { recursive: true })
  const segments = readdirSync(join(root, folder)).filter((name) => name.endsWith('.log'))
  damage({ root, at: (name) => join(root, folder, name), segments, active: segments.at(-1)! })
  return root
}

function edit(path: string, change: (bytes: Buffer) => unknown): void {
  const bytes = readFileSync(path)
  const changed = change(bytes)
  writeFileSync(path, Buffer.isBuffer(changed) ? changed : bytes)
}

/** Turns bits of one byte over. */
function flip(bytes: Buffer, at: number, bits: number): void {
  bytes[at]! ^= bits
}

/** Damages what is written, not what is read: the checksum is right. */
function rewrite(bytes: Buffer, change: () => void): void {
  change()
  batch.writeCrc(bytes, 0)
}

/** Position of the n-th batch. */
function nth(bytes: Buffer, n: number): number {
  return [...batch.iterateBatches(bytes)][n]!
}

function shift(entries: Int32Array | Float64Array, at: number, by: number): void {
  entries[at]! += by
}

const index = (name: string): string => name.replace('.log', '.index')
const json = (change: (value: Record<string, unknown>) => void) => (bytes: Buffer) => {
  const value = JSON.parse(bytes.toString()) as Record<string, unknown>
  change(value)
  return Buffer.from(JSON.stringify(value))
}
const changedIndex = (change: (content: ReturnType<typeof decodeIndex>) => void) => (bytes: Buffer) => {
  const content = decodeIndex(bytes)
  change(content)
  return encodeIndex(content)
}

const faults: readonly [name: string, damage: (place: Place) => void, kind: Finding['kind'], expected: RegExp][] = [
  [
    'a flipped bit in a sealed segment',
    (p) => edit(p.at(p.segments[1]!), (b) => flip(b, nth(b, 2) + 70, 4)),
    'damage',
    /fails its checksum/,
  ],
  [
    'a flipped bit in the last batch of a sealed segment',
    (p) => edit(p.at(p.segments[1]!), (b) => flip(b, b.length - 3, 4)),
    'damage',
    /fails its checksum/,
  ],
  [
    'a flipped bit in the middle of the active segment',
    (p) => edit(p.at(p.active), (b) => flip(b, nth(b, 1) + 65, 1)),
    'damage',
    /fails its checksum/,
  ],
  [
    'a length that was hit',
    (p) => edit(p.at(p.segments[1]!), (b) => flip(b, nth(b, 2) + 9, 64)),
    'damage',
    /declares \d+ bytes where/,
  ],
  [
    'a format that was hit',
    (p) => edit(p.at(p.segments[1]!), (b) => flip(b, nth(b, 2) + 16, 1)),
    'damage',
    /of format 3, not 2/,
  ],
  [
    'an offset that was hit',
    (p) => edit(p.at(p.segments[1]!), (b) => flip(b, nth(b, 2) + 7, 32)),
    'damage',
    /has offset \d+ where \d+ is next/,
  ],
  [
    'an epoch that was hit',
    (p) => edit(p.at(p.segments[1]!), (b) => flip(b, nth(b, 2) + 15, 8)),
    'damage',
    /leader epoch/,
  ],
  [
    'a batch twice',
    (p) => edit(p.at(p.active), (b) => Buffer.concat([b, b.subarray(nth(b, 0), nth(b, 1))])),
    'damage',
    /has offset \d+ where/,
  ],
  [
    'records that do not fill their batch',
    (p) => edit(p.at(p.active), (b) => rewrite(b, () => b.writeInt32BE(9, 57))),
    'damage',
    /the records cannot be read/,
  ],
  [
    'a packed block that does not unpack',
    (p) => edit(p.at(p.segments[0]!), (b) => rewrite(b, () => b.fill(7, 65, 75))),
    'damage',
    /the records cannot be read/,
  ],
  [
    'a largest timestamp that is not there',
    (p) => edit(p.at(p.active), (b) => batch.setMaxTimestamp(b, 0, 9_000_000)),
    'damage',
    /largest timestamp/,
  ],
  ['a segment that is gone', (p) => rmSync(p.at(p.segments[2]!)), 'damage', /offsets from \d+ on are missing/],
  [
    'a segment that was cut',
    (p) => truncateSync(p.at(p.segments[1]!), 300),
    'damage',
    /declares \d+ bytes where|offsets from/,
  ],
  [
    "a segment with another's name",
    (p) => renameSync(p.at(p.segments[2]!), p.at('00000000000000000017.log')),
    'damage',
    /begins at offset 17|has offset/,
  ],
  [
    'an active segment shorter than was vouched for',
    (p) => truncateSync(p.at(p.active), 0),
    'damage',
    /vouches for offset 60/,
  ],
  [
    'a hole of zeros',
    (p) =>
      edit(p.at(p.active), (b) =>
        Buffer.concat([b.subarray(0, nth(b, 1)), Buffer.alloc(100_000), b.subarray(nth(b, 1))]),
      ),
    'damage',
    /declares 12 bytes/,
  ],
  [
    'an index with a flipped bit',
    (p) => edit(p.at(index(p.segments[1]!)), (b) => flip(b, 50, 1)),
    'damage',
    /fails its checksum/,
  ],
  [
    'an index that points between batches',
    (p) =>
      edit(
        p.at(index(p.segments[1]!)),
        changedIndex(({ offsets }) => shift(offsets.entries, 1, 1)),
      ),
    'damage',
    /no batch with offset/,
  ],
  [
    'an index that names another offset',
    (p) =>
      edit(
        p.at(index(p.segments[1]!)),
        changedIndex(({ offsets }) => shift(offsets.entries, 2, 1)),
      ),
    'damage',
    /no batch with offset/,
  ],
  [
    'an index whose times lie',
    (p) =>
      edit(
        p.at(index(p.segments[1]!)),
        changedIndex(({ times }) => shift(times.entries, 0, -50)),
      ),
    'damage',
    /there are times up to/,
  ],
  [
    'an index with a wrong largest time',
    (p) =>
      edit(
        p.at(index(p.segments[1]!)),
        changedIndex((c) => Object.assign(c, { maxTimestamp: 5 })),
      ),
    'damage',
    /the largest timestamp is/,
  ],
  [
    'an index with a wrong end',
    (p) =>
      edit(
        p.at(index(p.segments[1]!)),
        changedIndex((c) => Object.assign(c, { nextOffset: 1 })),
      ),
    'damage',
    /ends at offset/,
  ],
  ['an index that is gone', (p) => rmSync(p.at(index(p.segments[1]!))), 'note', /the next start makes it again/],
  [
    'an index that is half there after a power cut',
    (p) => truncateSync(p.at(index(p.segments[1]!)), 0),
    'note',
    /not an index file/,
  ],
  [
    'an index without a segment',
    (p) => writeFileSync(p.at('00000000000000099999.index'), 'x'),
    'note',
    /without a segment/,
  ],
  [
    'a checkpoint that is no JSON',
    (p) => edit(p.at('checkpoint.recent'), (b) => b.subarray(0, 20)),
    'damage',
    /is no checkpoint/,
  ],
  [
    'a checkpoint that starts beyond the end',
    (p) =>
      edit(
        p.at('checkpoint.recent'),
        json((c) => {
          c['logStartOffset'] = 99
        }),
      ),
    'damage',
    /tells of offset 99/,
  ],
  [
    'a checkpoint that vouches for more than there is',
    (p) =>
      edit(
        p.at('checkpoint.recent'),
        json((c) => {
          c['recovered'] = { offset: 70, segment: 1, position: 0 }
        }),
      ),
    'damage',
    /vouches for offset 70/,
  ],
  [
    'epochs that do not ascend',
    (p) =>
      edit(
        p.at('checkpoint.recent'),
        json((c) => {
          c['epochs'] = [
            [1, 0],
            [0, 30],
          ]
        }),
      ),
    'damage',
    /do not ascend/,
  ],
  [
    'epochs that the batches deny',
    (p) =>
      edit(
        p.at('checkpoint.recent'),
        json((c) => {
          c['epochs'] = [
            [0, 0],
            [1, 20],
          ]
        }),
      ),
    'damage',
    /leader epoch 0 where the checkpoint knows 1/,
  ],
  [
    'a snapshot that is no JSON',
    (p) => edit(p.at('00000000000000000060.snapshot'), (b) => b.subarray(0, 9)),
    'damage',
    /no snapshot of producers/,
  ],
  [
    'a snapshot from beyond the end',
    (p) => writeFileSync(p.at('00000000000000000099.snapshot'), '{"producers":[]}'),
    'note',
    /as of offset 99/,
  ],
  ['a file half written aside', (p) => writeFileSync(p.at('checkpoint.tmp'), '{'), 'note', /left by a kill/],
  [
    'a compacted file that never took its place',
    (p) => writeFileSync(p.at(`${p.segments[0]}.compacted`), ''),
    'note',
    /left by a kill/,
  ],
  ['a file that belongs to nothing', (p) => writeFileSync(p.at('notes.txt'), ''), 'note', /belongs to nothing/],
]

describe('a log', () => {
  test('that is in order has no findings, and every record is counted', () => {
    const report = checkLog(new PlainStore(sound), folder)
    expect(report).toMatchObject({ findings: [], records: 60, batches: 60, logStartOffset: 0, logEndOffset: 60 })
  })

  test.each(faults)('%s is found', (_name, damage, kind, expected) => {
    const { findings } = checkLog(new PlainStore(damagedCopy(damage)), folder)
    const found = findings.filter(({ message }) => expected.test(message))
    expect(found, JSON.stringify(findings)).not.toEqual([])
    expect(found.every((finding) => finding.kind === kind)).toBe(true)
    if (kind === 'note') expect(findings.filter((finding) => finding.kind === 'damage')).toEqual([])
  })

  test.each(faults)('%s is found by who has checked all files when they were sound', (_name, damage) => {
    let root = ''
    const checked = new CheckedFiles((path) => identityOf(join(root, path)))
    root = damagedCopy((place) => {
      root = place.root
      expect(checkLog(new PlainStore(root), folder, undefined, undefined, undefined, checked).findings).toEqual([])
      damage(place)
    })
    checked.begin()
    const report = checkLog(new PlainStore(root), folder, undefined, undefined, undefined, checked)
    expect(report).toEqual(checkLog(new PlainStore(root), folder))
  })

  test('what was checked is not read again while its file is the same', () => {
    const checked = new CheckedFiles((path) => path)
    const root = damagedCopy((place) => {
      checkLog(new PlainStore(place.root), folder, undefined, undefined, undefined, checked)
      edit(place.at(place.segments[0]!), (b) => flip(b, nth(b, 1) + 62, 1))
    })
    const again = () => checkLog(new PlainStore(root), folder, undefined, undefined, undefined, checked)
    expect(again()).toMatchObject({ findings: [], records: 60, batches: 60 })
    // Two checks later nobody remembers what nobody came by.
    checked.begin()
    checked.begin()
    expect(again().findings).toMatchObject([{ kind: 'damage', message: 'the batch fails its checksum' }])
  })

  test('what lies behind a damaged batch is looked at too', () => {
    const root = damagedCopy((place) => {
      edit(place.at(place.segments[1]!), (bytes) => {
        bytes[nth(bytes, 1) + 70]! ^= 1
        bytes[nth(bytes, 4) + 70]! ^= 1
      })
    })
    const { findings, records } = checkLog(new PlainStore(root), folder)
    expect(findings.filter(({ message }) => /checksum/.test(message))).toHaveLength(2)
    expect(records).toBe(58)
  })

  test('a torn tail before pre-allocated zeros is a note, and nothing is changed by looking', () => {
    const root = damagedCopy((place) => {
      const torn = batchOf(['torn'])
      edit(place.at(place.active), (b) => Buffer.concat([b, torn.subarray(0, 70), Buffer.alloc(16_384)]))
    })
    const before = readFileSync(
      join(
        root,
        folder,
        readdirSync(join(root, folder))
          .filter((n) => n.endsWith('.log'))
          .at(-1)!,
      ),
    )
    const { findings } = checkLog(new PlainStore(root), folder)
    expect(findings).toMatchObject([
      { kind: 'note', message: '70 bytes of a torn write will be cut at the next start' },
    ])
    expect(findings[0]!.byte).toBe(before.length - 16_384 - 70)
    const log = new Log(new PlainStore(root), folder, config)
    expect(readAll(log)).toEqual(counted(0, 60))
    log.release()
  })
})

describe('a data folder', () => {
  const run = async (root: string, options = { json: false }) => {
    const lines: string[] = []
    return { code: await check(root, options, (line) => lines.push(line)), lines }
  }

  test('that is in order says so in one line', async () => {
    const { code, lines } = await run(sound)
    expect(code).toBe(0)
    expect(lines).toEqual([
      expect.stringMatching(/^Sound: 63 records in 62 batches, \d+ bytes, 1 partitions of 2 topics; 0 notes\.$/),
    ])
  })

  test('damage is told with its file, its byte and its topic, and ends with 6', async () => {
    const root = damagedCopy((place) => edit(place.at(place.segments[0]!), (b) => flip(b, nth(b, 1) + 62, 1)))
    const { code, lines } = await run(root)
    expect(code).toBe(6)
    expect(lines[0]).toMatch(
      new RegExp(`^damage ${folder}/0+\\.log byte \\d+: the batch fails its checksum \\(orders-0\\)$`),
    )
    expect(lines.at(-1)).toMatch(/^Damaged in 1 place: /)
    const { lines: objects } = await run(root, { json: true })
    expect(objects.map((line) => JSON.parse(line) as object)).toMatchObject([
      { kind: 'damage', file: `${folder}/${'0'.repeat(20)}.log`, byte: expect.any(Number) },
      { kind: 'summary', damages: 1, topics: 2, partitions: 1 },
    ])
  })

  test('damage of the metadata log is damage', async () => {
    const name = join('metadata', `${'0'.repeat(20)}.log`)
    const root = damagedCopy(({ root }) => edit(join(root, name), (b) => flip(b, 70, 1)))
    expect((await run(root)).code).toBe(6)
  })

  test('a folder without a topic is a note, a partition that its topic does not have is damage', async () => {
    const lonely = damagedCopy(({ root }) => mkdirSync(join(root, 'topics', 'gone', '0'), { recursive: true }))
    const { code, lines } = await run(lonely)
    expect(code).toBe(0)
    expect(lines[0]).toMatch(/^note {3}topics\/gone: belongs to no topic/)
    const beyond = damagedCopy(({ root }) => mkdirSync(join(root, 'topics', topicId, '2')))
    expect((await run(beyond)).lines[0]).toMatch(/^damage .*: topic orders has 2 partitions/)
    const unknown = damagedCopy(({ root }) => mkdirSync(join(root, 'lost+found')))
    expect((await run(unknown)).lines[0]).toMatch(/^note {3}lost\+found: belongs to nothing/)
  })

  test('that is none is refused without making one', async () => {
    const root = join(sound, 'no-such-folder')
    expect(await run(root)).toEqual({ code: 1, lines: [`${root} is no directory.`] })
    expect(readdirSync(sound)).not.toContain('no-such-folder')
    expect((await run(join(sound, 'topics'))).code).toBe(1)
  })

  test('a log that was only ever appended to is in order too', () => {
    const root = mkdtempSync(join(tmpdir(), 'twiglog-check-'))
    copies.push(root)
    const log = new Log(new PlainStore(root), folder, config)
    append(log, ['v0'])
    expect(checkLog(new PlainStore(root), folder)).toMatchObject({ findings: [], records: 1 })
    log.release()
  })
})
