// The contract of every store: plain, mapped, memory and faulty files keep the same promises.

import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { File, Store } from '../../src/storage/file.ts'
import { type Place, places } from './stores.ts'

function append(file: File, text: string): void {
  const bytes = Buffer.from(text)
  bytes.copy(file.stage(bytes.length))
  file.commit(bytes.length)
}

function content(file: File, position = 0, byteCount = file.length - position): string {
  let text = ''
  for (let at = position; at < position + byteCount; ) {
    const lease = file.read(at, position + byteCount - at)
    text += lease.bytes.toString()
    at += lease.bytes.length
    lease.release()
    if (lease.bytes.length === 0) break
  }
  return text
}

describe.each(places)('%s', (_name, make) => {
  let place: Place
  let store: Store
  beforeEach(() => {
    place = make()
    store = place.open()
  })
  afterEach(() => place.remove())

  test('what was committed is read back, whole and in parts', () => {
    const file = store.create('a/b.log', 1 << 20)
    append(file, 'hello ')
    append(file, 'world')
    expect(file.length).toBe(11)
    expect(content(file)).toBe('hello world')
    expect(content(file, 4, 4)).toBe('o wo')
  })

  test('what was staged and dropped is not part of the file and is overwritten by what comes next', () => {
    const file = store.create('a.log', 1 << 20)
    append(file, 'kept')
    file.stage(100).fill('x')
    file.drop()
    expect(file.length).toBe(4)
    append(file, 'on')
    expect(content(file)).toBe('kepton')
  })

  test('a file grows over many allocations and keeps every byte', () => {
    const file = store.create('a.log', 64 << 20)
    const sizes = [1, 4096, 16384, 100_000, 1_000_000, 5_000_000, 17, 3_000_000]
    sizes.forEach((size, i) => {
      file.stage(size).fill(i + 1)
      file.commit(size)
    })
    let at = 0
    sizes.forEach((size, i) => {
      for (const position of [at, at + size - 1]) {
        const lease = file.read(position, 1)
        expect(lease.bytes[0]).toBe(i + 1)
        lease.release()
      }
      at += size
    })
    expect(file.length).toBe(at)
  })

  test('a view taken before the file grew stays readable until it is released', () => {
    const file = store.create('a.log', 64 << 20)
    append(file, 'early')
    const early = file.read(0, 5)
    for (let i = 0; i < 8; i++) {
      file.stage(1 << 20).fill(i)
      file.commit(1 << 20)
    }
    expect(early.bytes.toString()).toBe('early')
    early.release()
  })

  test('a sealed and reopened file holds what was committed and no more', async () => {
    const file = store.create('a.log', 1 << 20)
    append(file, 'sealed')
    await file.flush()
    file.seal()
    expect(content(file)).toBe('sealed')
    file.close()
    const again = place.reopen().open('a.log', 1 << 20)
    expect(again.length).toBe(6)
    expect(content(again)).toBe('sealed')
    again.close()
  })

  test('a file opened up to a bound shows nothing above it', () => {
    const file = store.create('a.log', 1 << 20)
    append(file, 'parent')
    const bounded = store.open('a.log', 1 << 20, { length: 3 })
    append(file, ' goes on')
    expect(bounded.length).toBe(3)
    expect(content(bounded, 0, 100)).toBe('par')
  })

  test('appending goes on behind a cut, and the bytes that were cut off are gone', () => {
    const file = store.create('a.log', 1 << 20)
    append(file, 'good')
    append(file, 'torn'.repeat(5000))
    file.cutAt(4)
    expect(file.length).toBe(4)
    append(file, '!')
    expect(content(file)).toBe('good!')
    file.stage(200)
    file.commit(200)
    const tail = file.read(5, 200)
    if (store.kind === 'mapped') expect(tail.bytes.every((byte) => byte === 0)).toBe(true)
    tail.release()
  })

  test('a shared file lives on under its other name when one is removed', () => {
    const file = store.create('p/a.log', 1 << 20)
    append(file, 'shared')
    expect(store.share('p/a.log', 'c/a.log')).toBe(0)
    store.remove('p/a.log')
    expect(store.exists('p/a.log')).toBe(false)
    expect(content(store.open('c/a.log', 1 << 20, { length: 6 }))).toBe('shared')
  })

  test('a closed file is flushed although a reader opens and closes it meanwhile', async () => {
    const file = store.create('a.log', 1 << 20)
    append(file, 'kept')
    file.close()
    const again = store.open('a.log', 1 << 20, { length: 4 })
    const flushed = again.flush()
    expect(content(again)).toBe('kept')
    await flushed
  })

  test('a file cannot be made twice, and one that is missing cannot be opened', () => {
    store.create('a.log', 1024)
    expect(() => store.create('a.log', 1024)).toThrow(expect.objectContaining({ code: 'EEXIST' }))
    expect(() => content(store.open('missing.log', 1024))).toThrow(expect.objectContaining({ code: 'ENOENT' }))
  })

  test('small files are saved whole, listed, renamed and removed', async () => {
    store.save('d/one', Buffer.from('1'), true)
    store.save('d/one', Buffer.from('2'), false)
    store.save('d/two', Buffer.from('3'), false)
    expect(store.load('d/one')?.toString()).toBe('2')
    expect(store.list('d')).toEqual(['one', 'two'])
    await store.syncFolder('d')
    store.rename('d/two', 'e/three')
    expect(store.list('d')).toEqual(['one'])
    expect(store.load('e/three')?.toString()).toBe('3')
    store.removeFolder('d')
    expect(store.list('d')).toEqual([])
    expect(store.load('d/one')).toBeUndefined()
    store.remove('d/one')
  })

  test('a reader that holds a view outlives the removal of the file', () => {
    const file = store.create('a.log', 1 << 20)
    append(file, 'still here')
    const lease = file.read(0, 10)
    file.close()
    store.remove('a.log')
    expect(lease.bytes.toString()).toBe('still here')
    lease.release()
  })
})
