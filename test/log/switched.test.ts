// A topic that keeps every revision becomes one that is compacted while a packer is at work on it: the pack took the place of what
// compaction was about to replace, and what compaction had written then took the pack's name. The partition was damaged.

import { expect, test } from 'vitest'
import { checkLog } from '../../src/log/check.ts'
import { steadyTurns } from '../../src/log/compaction.ts'
import { Log } from '../../src/log/log.ts'
import { MemoryStore } from '../../src/storage/memory-file.ts'
import { openFake, packFake, writeFake } from './fake-pack.ts'
import { append, readAll, smallConfig } from './log-environment.ts'

const folder = 'topics/t/0'

async function revised() {
  const store = new MemoryStore()
  const config = { ...smallConfig, deletes: false, minCleanableDirtyRatio: 0, openPacked: openFake }
  const log = new Log(store, folder, config)
  for (let i = 0; i < 120; i++) append(log, [`${i % 9}`])
  await log.flush()
  const newest = () => new Map(readAll(log, 0, 1000, true).map(({ key, offset }) => [key, offset]))
  const damages = () => checkLog(store, folder, undefined, undefined, openFake).findings.filter(isDamage)
  return { store, config, log, newest, damages }
}

const isDamage = ({ kind }: { kind: string }): boolean => kind === 'damage'

test('a pack that comes while the log is compacted is given up', async () => {
  const { store, config, log, newest, damages } = await revised()
  const before = newest()
  const group = log.packable.slice(0, 1)
  const packed = await writeFake(store, folder, group)
  config.compacts = true
  let given: Promise<boolean> | undefined
  const rest = async () => {
    given ??= log.pack(group, packed, false)
    await given
  }
  await log.compact(1e9, { ...steadyTurns, rest })
  expect(await given).toBe(false)
  expect(newest()).toEqual(before)
  expect(damages()).toEqual([])
  expect(store.list(folder).filter((name) => name.includes('.pack'))).toEqual([])
})

test('what a packer read before a round of compaction does not take the place of what the round has left', async () => {
  const { store, config, log, newest } = await revised()
  const group = log.packable.slice(0, 1)
  const packed = await writeFake(store, folder, group)
  config.compacts = true
  await log.compact(1e9)
  const count = readAll(log, 0, 1000).length
  expect(await log.pack(group, packed, false)).toBe(false)
  expect(readAll(log, 0, 1000)).toHaveLength(count)
  config.compacts = false
  expect(await packFake(store, log)).toBe(true)
  expect(newest().size).toBe(9)
})
