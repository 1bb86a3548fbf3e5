// What the system refuses leaves nothing behind: no descriptor, no half of a file. Each of these came again with every round of
// housekeeping, until something else ran out.

import { existsSync, mkdtempSync, rmSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, expect, test } from 'vitest'
import { canMap, MappedStore } from '../../src/storage/mapped-file.ts'
import { PlainStore } from '../../src/storage/plain-file.ts'
import { eventually } from '../eventually.ts'
import { canMount, fillUp, type SmallDisk, smallDisk } from '../small-disk.ts'
import { openBelow } from './descriptors.ts'

const root = mkdtempSync(join(tmpdir(), 'twiglog-refused-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

let disk: SmallDisk | undefined
afterEach(() => {
  disk?.remove()
  disk = undefined
})

test.runIf(process.platform === 'linux')('a large file whose place cannot be taken is not held open', async () => {
  const store = new PlainStore(root)
  store.create('large', 1).close()
  truncateSync(join(root, 'large'), 1 << 21)
  expect(() => store.rename('missing', 'large')).toThrow('ENOENT')
  await eventually(() => expect(openBelow(root)).toEqual([]))
})

test.runIf(canMount())('a small file that finds no room leaves no part of it lying about', () => {
  disk = smallDisk(1)!
  const store = new PlainStore(disk.path)
  fillUp(disk, 'full')
  const before = store.list('')
  expect(() => store.save('notes', Buffer.alloc(100_000), false)).toThrow('notes: ENOSPC')
  expect(store.list('')).toEqual(before)
})

// The packer that found the disk full said 'ENOSPC: no space left on device, write', and nobody knew of what.
test.runIf(existsSync('/dev/full'))(
  'what the system refuses to a descriptor is said with the name of its file',
  async () => {
    const file = new PlainStore('/dev').open('full', 0, { length: 0, append: true })
    file.stage(Buffer.from('lost'))
    expect(() => file.commit(4)).toThrow('full: ENOSPC')
    await expect(file.flush()).rejects.toThrow('full: EINVAL')
    file.close()
  },
)

const onDisk = [['plain', PlainStore] as const, ...(canMap() ? [['mapped', MappedStore] as const] : [])]
test.each(onDisk)('%s: a flush for which a file could not be opened has not failed', async (kind, OnDisk) => {
  const store = new OnDisk(root)
  const [name, elsewhere] = [kind, `${kind}-elsewhere`]
  const file = store.create(name, 1024)
  file.stage(Buffer.from('kept'))
  file.commit(4)
  file.seal()
  store.rename(name, elsewhere)
  await expect(file.flush()).rejects.toThrow('ENOENT')
  store.rename(elsewhere, name)
  await file.flush()
  expect(store.load(name)?.toString()).toBe('kept')
})

test('a file that nobody can look at is not taken for one that is not there', () => {
  const store = new PlainStore(root)
  expect(store.exists('nothing')).toBe(false)
  expect(() => store.exists('x'.repeat(300))).toThrow('ENAMETOOLONG')
})

test.each(['', '/below'])('a data folder that is a file%s is called so', (below) => {
  const store = new PlainStore(root)
  store.save('file', Buffer.from('1'), false)
  expect(() => new PlainStore(join(root, `file${below}`))).toThrow(/is no folder, or lies in none: name another --data/)
})
