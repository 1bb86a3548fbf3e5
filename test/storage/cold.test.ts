// What is not in memory any more is brought there by a thread that may wait for the disk. Who wrote to it, or closed it a moment
// ago, finds it there: so these files are thrown out of the page cache first, where that can be done.

import { closeSync, fsyncSync, mkdtempSync, openSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test, vi } from 'vitest'
import { produce } from '../../protocol/messages/00-produce.ts'
import { fetch } from '../../protocol/messages/01-fetch.ts'
import { headerBytes, sizeInBytes } from '../../protocol/records/batch.ts'
import { encodeBatch } from '../../protocol/records/builder.ts'
import { readRecords } from '../../protocol/records/record.ts'
import { Broker } from '../../src/embedded.ts'
import { canMap, MappedStore } from '../../src/storage/mapped-file.ts'
import { MemoryMap } from '../../src/storage/memory-map.ts'
import { native } from '../../src/storage/native.ts'
import { WireClient } from '../wire-client.ts'

const root = mkdtempSync(join(tmpdir(), 'twiglog-cold-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

const dontNeed = 4
const advise = native()?.func('int posix_fadvise(int, int64_t, int64_t, int)') as
  | ((descriptor: number, from: number, byteCount: number, advice: number) => number)
  | undefined

function evict(path: string): void {
  const descriptor = openSync(path, 'r')
  fsyncSync(descriptor)
  advise!(descriptor, 0, 0, dontNeed)
  closeSync(descriptor)
}

const bytes = Buffer.from(Array.from({ length: 3 * 1024 * 1024 }, (_, i) => (i * 7) & 0xff))

function written(name: string): void {
  const file = new MappedStore(root).create(name, bytes.length)
  file.stage(bytes)
  file.commit(bytes.length)
  file.close()
  evict(join(root, name))
}

/** A file system in memory throws nothing out. */
const evicts = ((): boolean => {
  if (!canMap() || advise === undefined) return false
  written('probe')
  return new MappedStore(root).open('probe', bytes.length).bring!(0, 1000) !== undefined
})()

test.runIf(evicts)('cold bytes come while others do something else, and are there afterwards', async () => {
  written('cold')
  const file = new MappedStore(root).open('cold', bytes.length)
  const coming = file.bring!(1_000_000, 500_000)
  expect(coming).toBeInstanceOf(Promise)
  await coming
  expect(file.bring!(1_000_000, 500_000)).toBeUndefined()
  const lease = file.read(1_000_000, 500_000)
  expect(lease.bytes.equals(bytes.subarray(1_000_000, 1_500_000))).toBe(true)
  lease.release()
  expect(file.bring!(bytes.length, 10)).toBeUndefined()
  file.close()
})

test.runIf(evicts)('a file may be closed while its bytes come', async () => {
  written('closed')
  const file = new MappedStore(root).open('closed', bytes.length)
  const coming = file.bring!(0, bytes.length)
  file.close()
  await coming
})

test.runIf(canMap())('of what was just written nobody asks the system', () => {
  const file = new MappedStore(root).create('fresh', bytes.length)
  file.stage(bytes.subarray(0, 5000))
  file.commit(5000)
  expect(file.bring!(0, 5000)).toBeUndefined()
  file.close()
})

test.runIf(evicts)('a fetch of cold records has them brought, and is answered with all of them', async () => {
  const data = join(root, 'data')
  const topics = [{ name: 'cold', config: { 'segment.bytes': '1048576' } }]
  const first = await Broker.start({ port: 0, data, topics })
  const values = Array.from({ length: 40 }, (_, i) => `${i}`.padEnd(100_000, 'v'))
  const producer = await WireClient.open(first.bootstrapServers)
  for (const value of values) {
    const records = encodeBatch({ records: [{ value: Buffer.from(value) }] })
    const topicData = [{ name: 'cold', partitionData: [{ index: 0, records }] }]
    await producer.ask(produce, 9, { acks: -1, timeoutMs: 1000, topicData })
  }
  producer.close()
  await first.stop()
  const broker = await Broker.start({ port: 0, data })
  const client = await WireClient.open(broker.bootstrapServers)
  const ask = async (fetchOffset: number) => {
    const answer = await client.ask(fetch, 12, {
      maxWaitMs: 100,
      minBytes: 1,
      isolationLevel: 0,
      topics: [{ topic: 'cold', partitions: [{ partition: 0, fetchOffset, partitionMaxBytes: 300_000 }] }],
    })
    const { errorCode, records } = answer.responses[0]!.partitions[0]!
    expect(errorCode).toBe(0)
    const batches = records as Buffer
    const values: string[] = []
    // The last batch may be cut.
    for (let at = 0; at + headerBytes <= batches.length && at + sizeInBytes(batches, at) <= batches.length; ) {
      for (const { value } of readRecords(batches, at)) values.push(String(value))
      at += sizeInBytes(batches, at)
    }
    return values
  }
  expect(await ask(40)).toEqual([])
  for (const name of readdirSync(join(data, 'topics'), { recursive: true }) as string[]) {
    if (name.endsWith('.log')) evict(join(data, 'topics', name))
  }
  const bring = vi.spyOn(MemoryMap.prototype, 'bring')
  const read: string[] = []
  while (read.length < values.length) {
    read.push(...(await ask(read.length)))
  }
  expect(read).toEqual(values)
  expect(bring.mock.results.some(({ value }) => value instanceof Promise)).toBe(true)
  bring.mockRestore()
  client.close()
  await broker.stop()
})
