// A system maps so many pieces of memory for a process and no more (65,530 on Linux, unless somebody says otherwise): a broker that had
// read as many closed segments could read no others, and V8 ends a process that gets no memory.

import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { Log } from '../../src/log/log.ts'
import { canMap, MappedStore } from '../../src/storage/mapped-file.ts'
import { held, mapsMax } from '../../src/storage/memory-map.ts'
import { append, counted, readAll, smallConfig } from '../log/log-environment.ts'

const root = mkdtempSync(join(tmpdir(), 'twiglog-maps-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

const open = (topic: string) => new Log(new MappedStore(root), `topics/${topic}/0`, smallConfig)

async function fill(topic: string): Promise<void> {
  const log = open(topic)
  for (let i = 0; i < 200; i++) append(log, [`v${i}`])
  await log.close()
}

test.runIf(canMap())('closed segments are read without being mapped where there are maps enough', async () => {
  await fill('many')
  const before = held.maps
  held.maps += mapsMax()
  try {
    const crowded = open('many')
    expect(crowded.segments.length).toBeGreaterThan(3)
    expect(readAll(crowded)).toEqual(counted(0, 200))
    const active = 1
    expect(held.maps - mapsMax() - before).toBeLessThanOrEqual(active)
    append(crowded, ['v200'])
    expect(readAll(crowded)).toEqual(counted(0, 201))
    crowded.release()
  } finally {
    held.maps -= mapsMax()
  }
})

test.runIf(canMap())('to know the indexes of many small segments takes no maps', async () => {
  await fill('small')
  const before = held.maps
  const log = open('small')
  expect(held.maps - before).toBe(0)
  expect(log.segments.length).toBeGreaterThan(3)
  expect(log.offsetAt(1000, log.logEndOffset)).toMatchObject({ offset: 0 })
  expect(held.maps - before).toBeLessThanOrEqual(1)
  log.release()
})

/** What the system was told of each piece of memory of a file, in the order of its bytes ('rr': not to read ahead). */
function piecesOf(name: string): { from: number; flags: string[] }[] {
  const areas = readFileSync('/proc/self/smaps', 'latin1').split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m)
  return areas
    .filter((area) => area.split('\n', 1)[0]!.endsWith(name))
    .map((area) => ({
      from: Number.parseInt(area.split(' ')[2]!, 16),
      flags: /^VmFlags: (.*)$/m.exec(area)![1]!.trim().split(' '),
    }))
    .sort((a, b) => a.from - b.from)
}

test.runIf(canMap() && existsSync('/proc/self/smaps'))(
  'nothing is read ahead of bytes that are stored, and as ever where they are read',
  () => {
    const file = new MappedStore(root).create('ahead', 64 * 1024 * 1024)
    const store = (byteCount: number) => {
      for (let stored = 0; stored < byteCount; stored += 1024) {
        file.stage(Buffer.alloc(1024, 1))
        file.commit(1024)
      }
    }
    store(256 * 1024)
    expect(piecesOf('/ahead').map(({ flags }) => flags.includes('rr'))).toEqual([false])
    store(3 * 1024 * 1024)
    const pieces = piecesOf('/ahead')
    expect(pieces.map(({ flags }) => flags.includes('rr'))).toEqual([false, true])
    expect(pieces[1]!.from).toBeLessThan(file.length)
    expect(pieces[1]!.from).toBeGreaterThanOrEqual(1024 * 1024)
    const lease = file.read(0, file.length)
    expect(lease.bytes.every((byte) => byte === 1)).toBe(true)
    lease.release()
    file.close()
  },
)
