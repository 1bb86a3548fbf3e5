// A file that cannot be removed: the log began in front of the first one that it still had, and a reader from its start was told that
// its records are damaged, until somebody deleted more.

import { expect, test } from 'vitest'
import { Log } from '../../src/log/log.ts'
import { FaultyStore } from '../../src/storage/faulty-file.ts'
import { append, counted, readAll, smallConfig } from './log-environment.ts'

test('a log begins where records were deleted, though their files stay', async () => {
  const store = new FaultyStore()
  const log = new Log(store, 'topics/t/0', smallConfig)
  for (let i = 0; i < 120; i++) append(log, [`v${i}`])
  await log.flush()
  const [, second, third] = log.segments
  store.fault = (operation) => (operation === 'remove' ? 'EIO' : undefined)
  expect(() => log.deleteBelow(third!.baseOffset)).toThrow('EIO')
  expect(readAll(log)).toEqual(counted(log.logStartOffset, 120))
  expect(log.logStartOffset).toBe(third!.baseOffset)
  store.fault = () => undefined
  log.deleteBelow(third!.baseOffset + 1)
  expect(log.segments).not.toContain(second)
  const after = new Log(store.after('kill'), 'topics/t/0', smallConfig)
  expect(readAll(after)).toEqual(counted(third!.baseOffset + 1, 120))
})
