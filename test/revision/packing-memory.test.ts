// The thread that packs reads into memory that is written over once it is let go: nothing that it keeps may lie there.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { encodeBatch } from '../../protocol/records/builder.ts'
import { codecs } from '../../protocol/records/compression.ts'
import { type PackingJob, runPacking } from '../../src/revision/packing-job.ts'
import { PlainStore } from '../../src/storage/plain-file.ts'
import { drawing, edited, noise } from './delta-pairs.ts'
import { defaults } from './pack-stage.ts'

function temporaryFolder(): string {
  const root = mkdtempSync(join(tmpdir(), 'twiglog-packing-'))
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  return root
}

test('what is let go is lent again, once', () => {
  const root = temporaryFolder()
  const store = new PlainStore(root, { reusesReads: true })
  const file = store.create('file', 1)
  file.stage(Buffer.from('abcdefgh'))
  file.commit(8)
  const first = file.read(0, 4)
  const second = file.read(4, 4)
  expect([String(first.bytes), String(second.bytes)]).toEqual(['abcd', 'efgh'])
  first.release()
  first.release()
  const third = file.read(2, 2)
  const fourth = file.read(0, 2)
  expect([String(second.bytes), String(third.bytes), String(fourth.bytes)]).toEqual(['efgh', 'cd', 'ab'])
  expect(third.bytes.buffer).toBe(first.bytes.buffer)
  file.close()
})

test('a pack made of reads that are written over is the same, byte for byte, and is packed again', async () => {
  const root = temporaryFolder()
  const draw = drawing(7)
  const store = new PlainStore(root)
  const values = new Map<number, Buffer>()
  const segments: { path: string; baseOffset: number; length: number; isPacked: boolean }[] = []
  let offset = 0
  for (let n = 0; n < 3; n++) {
    const path = `${String(offset).padStart(20, '0')}.log`
    const file = store.create(path, 1)
    const baseOffset = offset
    for (let i = 0; i < 40; i++) {
      const records = Array.from({ length: 1 + draw(5) }, () => {
        const key = draw(7)
        const value = edited(draw, values.get(key) ?? noise(draw, draw(30_000)), 2)
        values.set(key, value)
        return { key: `key ${key}`, value }
      })
      const bytes = encodeBatch({ baseOffset: offset, records, codec: codecs[draw(3) * draw(codecs.length)] ?? 'none' })
      file.stage(bytes)
      file.commit(bytes.length)
      offset += records.length
    }
    segments.push({ path, baseOffset, length: file.length, isPacked: false })
    file.close()
  }
  const offsets = Float64Array.from({ length: offset }, (_, i) => i)
  const numbers = { offsets, revs: offsets.map((i) => i + 1), leftOut: 0 }
  const job: Omit<PackingJob, 'path'> = {
    ...defaults,
    segments,
    nextOffset: offset,
    numbers,
    takenBack: [],
    indexIntervalBytes: 4096,
  }
  const pack = async (reusesReads: boolean, path: string, of = job) => {
    const own = new PlainStore(root, { reusesReads })
    own.create(path, 1).close()
    return await runPacking(own, { ...of, path })
  }
  const plain = await pack(false, '00000000000000000000.pack')
  await pack(true, 'reused.pack')
  expect(readFileSync(`${root}/reused.pack`).equals(readFileSync(`${root}/00000000000000000000.pack`))).toBe(true)
  const packed = [{ path: '00000000000000000000.pack', baseOffset: 0, length: plain.virtualLength, isPacked: true }]
  await pack(true, 'again.pack', { ...job, segments: packed })
  expect(readFileSync(`${root}/again.pack`).length).toBeGreaterThan(1000)
})
