// A machine without a clock of its own begins in the past after a power cut, until somebody tells it the time: what was written just
// before seemed to be of this life of the machine, and a page that was missing to be damage.

import { mkdtempSync, rmSync, utimesSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { PlainStore } from '../../src/storage/plain-file.ts'

const root = mkdtempSync(join(tmpdir(), 'twiglog-clock-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

test('a file from the future may have lost something, one of this life of the machine has not', () => {
  const store = new PlainStore(root)
  store.save('file', Buffer.from('1'), false)
  expect(store.mayHaveLost('file')).toBe(false)
  const seconds = Date.now() / 1000
  utimesSync(join(root, 'file'), seconds, seconds + 600)
  expect(store.mayHaveLost('file')).toBe(true)
  utimesSync(join(root, 'file'), seconds, 1)
  expect(store.mayHaveLost('file')).toBe(true)
})
