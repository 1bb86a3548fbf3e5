// A pack from its first byte to its last, made of segments in a store.

import { expect, test } from 'vitest'
import { encodeBatch } from '../../protocol/records/builder.ts'
import { Pack } from '../../src/revision/pack.ts'
import { type PackingJob, runPacking } from '../../src/revision/packing-job.ts'
import { MemoryStore } from '../../src/storage/memory-file.ts'
import { defaults } from './pack-stage.ts'

test('values that are empty lie nowhere and are packed all the same', async () => {
  const store = new MemoryStore()
  const values = ['first', '', null, '']
  const path = '00000000000000000000.log'
  const segment = store.create(path, 1 << 20)
  const bytes = encodeBatch({ baseOffset: 0, records: values.map((value) => ({ key: 'k', value })) })
  segment.stage(bytes)
  segment.commit(bytes.length)
  store.create('out.pack.tmp', 1).close()
  const numbers = { offsets: Float64Array.of(0, 1, 2, 3), revs: Float64Array.of(1, 2, 3, 4), leftOut: 0 }
  const job: PackingJob = {
    ...defaults,
    segments: [{ path, baseOffset: 0, length: bytes.length, isPacked: false }],
    nextOffset: 4,
    path: 'out.pack.tmp',
    numbers,
    takenBack: [],
    indexIntervalBytes: 4096,
  }
  await runPacking(store, job)
  const pack = Pack.open(store.open('out.pack.tmp', 0))
  expect(values.map((_, offset) => pack.value(pack.entryAt(offset))?.toString() ?? null)).toEqual(values)
})
