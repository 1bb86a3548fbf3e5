// Where memory cannot be mapped, every closed segment that somebody had read stayed open: a reader of an old topic with small segments
// took all descriptors that a process is given.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { Log } from '../../src/log/log.ts'
import { PlainStore } from '../../src/storage/plain-file.ts'
import { append, counted, readAll, smallConfig } from '../log/log-environment.ts'
import { openBelow } from './descriptors.ts'

const root = mkdtempSync(join(tmpdir(), 'twiglog-descriptors-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

const descriptors = (): number => openBelow(root).length

test.runIf(process.platform === 'linux')('plain files that are only read do not all stay open', async () => {
  const store = new PlainStore(root)
  const config = { ...smallConfig, segmentBytes: 200 }
  const log = new Log(store, 'topics/t/0', config)
  for (let i = 0; i < 900; i++) append(log, [`v${i}`])
  await log.flush()
  const most = 256 + 1
  expect(log.segments.length).toBeGreaterThan(most)
  expect(readAll(log)).toEqual(counted(0, 900))
  expect(descriptors()).toBeLessThanOrEqual(most)
  // One that was let go is opened by whoever reads it next, and by a flush.
  expect(readAll(log)).toEqual(counted(0, 900))
  log.release()
  expect(descriptors()).toBe(0)
  const again = new Log(store, 'topics/t/0', config)
  expect(readAll(again)).toEqual(counted(0, 900))
  append(again, ['v900'])
  await again.flush()
  expect(again.flushedOffset).toBe(901)
  expect(descriptors()).toBeLessThanOrEqual(most)
  await again.close()
  expect(descriptors()).toBe(0)
})
