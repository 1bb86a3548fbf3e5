// A stream of bytes becomes the same frames however it is cut, and costs what it brings.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ProtocolViolation } from '../../protocol/errors.ts'
import { Frames } from '../../src/net/frames.ts'

const bytesMax = 1024 * 1024

function frameOf(body: Buffer): Buffer {
  const length = Buffer.alloc(4)
  length.writeInt32BE(body.length)
  return Buffer.concat([length, body])
}

/** Bodies of all frames that the chunks complete. */
function cutInto(chunks: readonly Buffer[], frames = new Frames(bytesMax)): Buffer[] {
  const bodies: Buffer[] = []
  for (const chunk of chunks) {
    frames.push(chunk)
    for (let frame = frames.next(); frame !== undefined; frame = frames.next()) {
      const records = frame.remaining === 0 ? [] : readAll(frame)
      bodies.push(Buffer.concat(records))
    }
  }
  return bodies
}

function readAll(frame: NonNullable<ReturnType<Frames['next']>>): Buffer[] {
  const bytes: Buffer[] = []
  while (frame.remaining > 0) bytes.push(Buffer.of(frame.int8() & 0xff))
  return bytes
}

describe('frames', () => {
  test('a stream gives the same frames whatever the chunks in which it comes', () => {
    const bodies = fc.array(fc.uint8Array({ minLength: 8, maxLength: 5000, size: 'max' }), { maxLength: 6 })
    const property = fc.property(bodies, fc.array(fc.nat(), { maxLength: 30 }), (arrays, places) => {
      const wanted = arrays.map((array) => Buffer.from(array))
      const stream = Buffer.concat(wanted.map(frameOf))
      const cuts = [...new Set(places.map((place) => (stream.length === 0 ? 0 : place % stream.length)))]
      const ends = [...cuts.sort((a, b) => a - b), stream.length]
      const chunks = ends.map((end, i) => stream.subarray(ends[i - 1] ?? 0, end))
      expect(cutInto(chunks)).toEqual(wanted)
    })
    fc.assert(property, { numRuns: 100 })
  })

  test('a frame that came in one chunk is read where it lies', () => {
    const chunk = Buffer.concat([frameOf(Buffer.alloc(20, 1)), frameOf(Buffer.alloc(30, 2))])
    const frames = new Frames(bytesMax)
    frames.push(chunk)
    frames.next()
    const records = frames.next()!
    records.int32()
    expect(records.remaining).toBe(26)
    expect(frames.next()).toBeUndefined()
  })

  test('frames wait until they are asked for', () => {
    const frames = new Frames(bytesMax)
    const one = frameOf(Buffer.alloc(10))
    frames.push(Buffer.concat([one, one, one.subarray(0, 7)]))
    frames.push(one.subarray(7))
    expect([1, 2, 3].map(() => frames.next()?.remaining)).toEqual([10, 10, 10])
    expect(frames.next()).toBeUndefined()
  })

  for (const length of [-1, -0x8000_0000, 0x7fff_ffff, 0, 7, bytesMax + 1]) {
    test(`a length of ${length} is a violation as soon as it is known`, () => {
      const prefix = Buffer.alloc(4)
      prefix.writeInt32BE(length)
      const frames = new Frames(bytesMax)
      for (const byte of prefix.subarray(0, 3)) frames.push(Buffer.of(byte))
      expect(frames.next()).toBeUndefined()
      frames.push(prefix.subarray(3))
      expect(() => frames.next()).toThrow(ProtocolViolation)
    })
  }

  test('an announced length allocates nothing', () => {
    const prefix = Buffer.alloc(4)
    prefix.writeInt32BE(bytesMax)
    const before = process.memoryUsage().external
    const many = Array.from({ length: 1000 }, () => {
      const frames = new Frames(bytesMax)
      frames.push(prefix)
      frames.next()
      return frames
    })
    expect(many).toHaveLength(1000)
    expect(process.memoryUsage().external - before).toBeLessThan(4 * 1024 * 1024)
  })

  test('a sender of single bytes costs hardly more than its bytes', () => {
    const body = Buffer.alloc(bytesMax, 3)
    const stream = frameOf(body)
    const frames = new Frames(bytesMax)
    const byte = Buffer.of(3)
    frames.push(stream.subarray(0, 4))
    const before = process.memoryUsage()
    for (let i = 0; i < body.length - 1; i++) {
      frames.push(byte)
      frames.next()
    }
    const after = process.memoryUsage()
    // As views these would be more than 100 MB.
    expect(after.heapUsed + after.external - before.heapUsed - before.external).toBeLessThan(24 * 1024 * 1024)
    frames.push(byte)
    expect(frames.next()!.remaining).toBe(body.length)
  })
})
