// Buffers that are read into again and again must never be written over while somebody still has views of them.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Frames } from '../../src/net/frames.ts'
import { BufferPool, ReceiveBuffer } from '../../src/net/receive-buffer.ts'

/** A frame whose every byte tells which frame it belongs to and where it stands. */
function frame(index: number, byteCount: number): Buffer {
  const bytes = Buffer.alloc(4 + byteCount)
  bytes.writeInt32BE(byteCount)
  for (let i = 0; i < byteCount; i++) bytes[4 + i] = (index * 31 + i) & 0xff
  return bytes
}

/** Sends a stream through buffer and frames as a socket would: each read takes what fits and what has come. */
function receive(stream: Buffer, reads: readonly number[]): Buffer[] {
  const buffer = new ReceiveBuffer(new BufferPool())
  const frames = new Frames(100 * 1024 * 1024)
  const taken: Buffer[] = []
  let room = buffer.room(0)
  let at = 0
  for (let i = 0; at < stream.length; i++) {
    const byteCount = Math.min(room.length, reads[i % reads.length]!, stream.length - at)
    expect(byteCount).toBeGreaterThan(0)
    stream.copy(room, 0, at, at + byteCount)
    at += byteCount
    frames.push(buffer.received(byteCount))
    for (let found = frames.next(); found !== undefined; found = frames.next()) {
      const { remaining } = found
      const parts = found.detached()
      const bytes = Buffer.allocUnsafe(remaining)
      for (let i = 0; i < remaining; i++) bytes[i] = parts.int8()
      taken.push(bytes)
    }
    room = buffer.room(frames.keptBytes)
  }
  buffer.close()
  return taken
}

describe('what is received', () => {
  test('is the same frames whatever their sizes and whatever the reads bring', () => {
    const size = fc.oneof(
      fc.integer({ min: 8, max: 200 }),
      fc.integer({ min: 8, max: 20_000 }),
      fc.integer({ min: 500_000, max: 1_200_000 }),
    )
    const read = fc.oneof(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 9000 }), fc.constant(1 << 20))
    fc.assert(
      fc.property(
        fc.array(size, { minLength: 1, maxLength: 8 }),
        fc.array(read, { minLength: 1, maxLength: 6 }),
        (sizes, reads) => {
          fc.pre(Math.min(...reads) > 50 || sizes.every((each) => each < 20_000))
          const expected = sizes.map((byteCount, i) => frame(i, byteCount))
          const found = receive(Buffer.concat(expected), reads)
          expect(found.length).toBe(sizes.length)
          for (const [i, bytes] of found.entries()) expect(bytes.equals(expected[i]!.subarray(4))).toBe(true)
        },
      ),
      { numRuns: 150 },
    )
  })

  test('lies in the same small buffer as long as little comes at a time', () => {
    const buffer = new ReceiveBuffer(new BufferPool())
    const first = buffer.room(0)
    for (let i = 0; i < 100; i++) {
      buffer.received(100)
      const next = buffer.room(0)
      expect([next.buffer, next.byteOffset]).toEqual([first.buffer, first.byteOffset])
    }
  })

  test('gets a large buffer when it fills the small one, and gives it back when little comes again', () => {
    const pool = new BufferPool()
    const buffer = new ReceiveBuffer(pool)
    const small = buffer.room(0)
    buffer.received(small.length)
    const large = buffer.room(0)
    expect(large.length).toBeGreaterThan(16 * small.length)
    buffer.received(large.length)
    for (let i = 0; i < 40; i++) {
      buffer.room(0)
      buffer.received(10)
    }
    expect(buffer.room(0).length).toBe(small.length)
    expect(pool.take().buffer).toBe(large.buffer)
  })

  test('takes no more buffers than a frame needs in a stream that never stops between two frames', () => {
    const pool = new BufferPool()
    const buffer = new ReceiveBuffer(pool)
    const frames = new Frames(100 * 1024 * 1024)
    const used = new Set<ArrayBufferLike>()
    const stream = Buffer.concat(Array.from({ length: 40 }, (_, i) => frame(i, 1_000_000 + i)))
    let room = buffer.room(0)
    for (let at = 0; at < stream.length; ) {
      const byteCount = Math.min(room.length, 60_000, stream.length - at)
      stream.copy(room, 0, at, at + byteCount)
      at += byteCount
      frames.push(buffer.received(byteCount))
      while (frames.next() !== undefined) {}
      room = buffer.room(frames.keptBytes)
      used.add(room.buffer)
    }
    expect(used.size).toBeLessThan(8)
  })

  test('is not written over while a frame is not whole', () => {
    const buffer = new ReceiveBuffer(new BufferPool())
    const views: [Buffer, number][] = []
    let kept = 0
    let room = buffer.room(0)
    for (let i = 0; i < 200; i++) {
      const byteCount = Math.min(room.length, 50_000)
      room.fill(i, 0, byteCount)
      views.push([buffer.received(byteCount), i])
      kept += byteCount
      room = buffer.room(kept)
    }
    for (const [view, i] of views) expect(view.every((byte) => byte === i)).toBe(true)
  })
})
