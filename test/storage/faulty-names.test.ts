// What a disk that forgets knows of a folder that gets another name: a simulation took what was flushed in one for lost.

import { expect, test } from 'vitest'
import { FaultyStore } from '../../src/storage/faulty-file.ts'

const write = (store: FaultyStore, path: string) => {
  const file = store.create(path, 10)
  file.stage(4).write('data')
  file.commit(4)
  return file.flush()
}

test('a folder that took the place of another keeps what is made in it and synced, and nothing else comes back', async () => {
  const store = new FaultyStore()
  await write(store, 'topics/t/0/old')
  await write(store, 'topics/t.next/0/first')
  await store.syncFolder('topics/t/0', 'topics/t.next/0')
  store.rename('topics/t', 'topics/t.gone')
  store.rename('topics/t.next', 'topics/t')
  const before = store.after('power cut')
  expect([before.list('topics/t/0'), before.list('topics/t.next/0')]).toEqual([['old'], ['first']])
  await write(store, 'topics/t/0/second')
  await store.syncFolder('topics/t/0')
  store.removeFolder('topics/t.gone')
  const after = store.after('power cut')
  expect(after.list('topics/t/0').sort()).toEqual(['first', 'second'])
  expect(after.list('topics/t.next')).toEqual([])
})
