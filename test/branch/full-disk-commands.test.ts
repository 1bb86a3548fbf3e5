// A disk that is full while a fork, a merge or what undoes one is written. What has changed nothing yet is refused, with what to do about
// it; a command that may have to be finished waits, and nothing of it is seen until there is room: then it is done, once.

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { FaultyStore } from '../../src/storage/faulty-file.ts'
import { eventually } from '../eventually.ts'
import { namesIn } from '../faults/furnished.ts'
import { folderOf } from './held-disk.ts'
import { Stage } from './stage.ts'

const said: string[] = []
beforeEach(() => {
  said.length = 0
  vi.spyOn(console, 'error').mockImplementation((text: unknown) => void said.push(String(text)))
})
afterEach(() => {
  vi.restoreAllMocks()
})

type Written = 'files of a fork' | 'records of the target' | 'the metadata log' | 'the history'

/** There is no room for these, until the returned function is called. */
async function full(written: Written, stage: Stage, store: FaultyStore, code = 'ENOSPC'): Promise<() => void> {
  const folders: Record<Written, string> = {
    'files of a fork': 'topics/',
    'records of the target': await folderOf(stage, 'P'),
    'the metadata log': 'metadata/',
    'the history': await folderOf(stage, '__branches'),
  }
  const operation = written === 'files of a fork' ? 'share' : 'stage'
  store.fault = (what, path) => (what === operation && path.startsWith(folders[written]) ? code : undefined)
  return () => {
    store.fault = () => undefined
  }
}

/** `P` with a branch `C`, of which one key is new and one in conflict, parked by `m0`. */
async function staged(): Promise<[Stage, FaultyStore]> {
  const store = new FaultyStore()
  const stage = await Stage.open({ storage: store })
  await stage.create('P', 1, { 'cleanup.policy': 'compact' })
  await stage.send('P', [{ key: 'k', value: '0' }])
  await stage.fork('P', 'C')
  for (const topic of ['C', 'P']) await stage.send(topic, [{ key: 'k', value: topic }])
  await stage.run({ op: 'merge', id: 'm0', from: 'C', into: 'P', onConflict: 'park' })
  await stage.send('C', [{ key: 'new', value: 'C' }])
  return [stage, store]
}

describe.each([
  ['ENOSPC', /ENOSPC\. Make room on the disk of the data folder, then ask again\.$/],
  ['EROFS', /EROFS\. Let the broker write to its data folder, then ask again\.$/],
  ['EIO', /EIO\. Look at the disk, ask again, and if it is refused again start the broker anew\. 'twiglog check'/],
])('a fork on a disk that answers %s', (code, message) => {
  test('is refused with what to do, nothing of it is left, and asked for again it is made', async () => {
    const [stage, store] = await staged()
    const writable = await full('files of a fork', stage, store, code)
    await expect(stage.fork('P', 'N')).rejects.toMatchObject({ errors: [{ type: 'KAFKA_STORAGE_ERROR' }] })
    const { N = '' } = await stage.refusals([{ from: 'P', topic: 'N' }])
    expect(N).toMatch(/^KAFKA_STORAGE_ERROR: /)
    expect(N).toMatch(message)
    for (const command of [
      { op: 'fork', from: 'P', to: 'N' },
      { op: 'reset', branch: 'C' },
    ]) {
      const { status, error } = await stage.run({ ...command, id: command.op })
      expect([status, error?.code]).toEqual(['rejected', 'KAFKA_STORAGE_ERROR'])
      expect(error?.message).toMatch(message)
    }
    expect(await stage.made()).toEqual(['C', 'P'])
    expect(await stage.values('C', 3)).toEqual(['0', 'C', 'C'])
    expect(namesIn(store).filter((path) => path.includes('.tmp'))).toEqual([])
    writable()
    await stage.fork('P', 'N')
    expect(await stage.run({ op: 'reset', id: 'again', branch: 'C' })).toMatchObject({ status: 'done' })
    expect(await stage.values('C', 2)).toEqual(['0', 'P'])
    await stage[Symbol.asyncDispose]()
  })
})

const merge = { op: 'merge', from: 'C', into: 'P', keys: ['new'] }
const resolve = { op: 'resolve', merge: 'm0', topic: 'P', partition: 0, key: 'k', take: 'theirs' }
const waiting: (readonly [asked: Readonly<Record<string, unknown>>, on: Written, after: readonly string[]])[] = [
  [merge, 'records of the target', ['0', 'P', 'C']],
  [merge, 'the metadata log', ['0', 'P', 'C']],
  [resolve, 'records of the target', ['0', 'P', 'C']],
  [resolve, 'the metadata log', ['0', 'P', 'C']],
  [{ op: 'revert', topic: 'P', range: { 0: [1, 1] } }, 'records of the target', ['0', 'P', '0']],
  [{ op: 'revert', topic: 'P', range: { 0: [1, 1] } }, 'the metadata log', ['0', 'P', '0']],
  [{ op: 'promote', branch: 'C' }, 'the metadata log', ['0', 'C', 'C']],
  [{ op: 'abandon', branch: 'C' }, 'the metadata log', ['0', 'P']],
]

describe('a command', () => {
  test.each(waiting)(
    '%j waits while there is no room for %s, unseen, and is done once when there is',
    async (asked, on, after) => {
      const [stage, store] = await staged()
      const writable = await full(on, stage, store)
      await stage.command({ ...asked, id: 'x' })
      await eventually(() => expect(said.some((text) => /^Commands of branches wait: .*ENOSPC/.test(text))).toBe(true))
      expect(await stage.made()).toEqual(['C', 'P'])
      expect(await stage.values('P', 2)).toEqual(['0', 'P'])
      expect(await stage.values('C', 3)).toEqual(['0', 'C', 'C'])
      const told = async () => {
        const events = await stage.events((await stage.ends('__branches'))[0]!.high)
        return events.filter(({ id, type }) => id === 'x' && !/^merge-(begin|aborted)$/.test(type))
      }
      expect(await told()).toEqual([])
      writable()
      expect((await stage.event('x')).status).toMatch(/^(committed|done)$/)
      expect(await stage.values('P', after.length)).toEqual(after)
      await stage.run({ op: 'plan', id: 'p', from: 'P', into: 'P' })
      expect(await told()).toHaveLength(1)
      await stage[Symbol.asyncDispose]()
    },
  )

  test('whose result does not fit on the disk is told when it does, and was done once', async () => {
    const [stage, store] = await staged()
    const writable = await full('the history', stage, store)
    await stage.command({ op: 'fork', id: 'x', from: 'P', to: 'N' })
    await eventually(() => expect(said.some((text) => text.startsWith('Commands of branches wait'))).toBe(true))
    expect(await stage.made()).toEqual(['C', 'N', 'P'])
    writable()
    expect(await stage.event('x')).toMatchObject({ type: 'fork', status: 'done' })
    expect(await stage.made()).toEqual(['C', 'N', 'P'])
    await stage[Symbol.asyncDispose]()
  })
})
