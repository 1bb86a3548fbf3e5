// Numbers of variable length, against the definition and against hostile bytes.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ProtocolViolation } from '../../protocol/errors.ts'
import {
  Cursor,
  sizeOfUnsignedVarint,
  sizeOfVarint,
  sizeOfVarlong,
  writeUnsignedVarint,
  writeVarint,
  writeVarlong,
} from '../../protocol/varint.ts'

/** The definition, slowly: the two's complement of 64 bits, zigzag, seven bits a byte. */
function varlongByDefinition(value: bigint): Buffer {
  let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))
  const bytes: number[] = []
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
  bytes.push(Number(rest))
  return Buffer.from(bytes)
}

const written = (write: (bytes: Uint8Array, position: number, value: number) => number, value: number): Buffer => {
  const bytes = Buffer.alloc(12)
  return bytes.subarray(0, write(bytes, 0, value))
}

describe('varints', () => {
  test('an unsigned varint comes back and takes the bytes it was said to take', () => {
    const numbers = fc.integer({ min: 0, max: 0xffff_ffff })
    fc.assert(
      fc.property(numbers, (value) => {
        const bytes = written(writeUnsignedVarint, value)
        expect(bytes).toHaveLength(sizeOfUnsignedVarint(value))
        expect(new Cursor(bytes).unsignedVarint()).toBe(value)
      }),
    )
  })

  test('a zigzag varint comes back and is the 64-bit form of the same number', () => {
    const numbers = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })
    fc.assert(
      fc.property(numbers, (value) => {
        const bytes = written(writeVarint, value)
        expect(bytes).toHaveLength(sizeOfVarint(value))
        expect(bytes).toEqual(varlongByDefinition(BigInt(value)))
        expect(new Cursor(bytes).varint()).toBe(value)
        expect(new Cursor(bytes).varlong()).toBe(value)
      }),
    )
  })

  test('a varlong is exact for every safe integer', () => {
    const edges = [0, 1, -1, 63, 64, -64, -65, 2 ** 31, 2 ** 32, 2 ** 35, 2 ** 52, Number.MAX_SAFE_INTEGER]
    const numbers = fc.oneof(fc.maxSafeInteger(), fc.constantFrom(...edges, ...edges.map((edge) => -edge)))
    fc.assert(
      fc.property(numbers, (value) => {
        const plain = value + 0 // -0 becomes 0
        const bytes = written(writeVarlong, plain)
        expect(bytes).toEqual(varlongByDefinition(BigInt(plain)))
        expect(bytes).toHaveLength(sizeOfVarlong(plain))
        const cursor = new Cursor(bytes)
        expect(cursor.varlong()).toBe(plain)
        expect(cursor.remaining).toBe(0)
      }),
      { numRuns: 1000 },
    )
  })

  test('a varlong beyond 2^53 comes back rounded', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
        const read = new Cursor(varlongByDefinition(value)).varlong()
        expect(Math.abs(read - Number(value))).toBeLessThanOrEqual(Math.abs(Number(value)) * 2 ** -52)
      }),
      { numRuns: 1000 },
    )
  })

  test('a 32-bit varint of six bytes and a 64-bit one of eleven are violations', () => {
    const endless = Buffer.alloc(20, 0x80)
    expect(() => new Cursor(endless).unsignedVarint()).toThrow(ProtocolViolation)
    expect(() => new Cursor(endless).varint()).toThrow(ProtocolViolation)
    expect(() => new Cursor(endless).varlong()).toThrow(ProtocolViolation)
    expect(new Cursor(Buffer.from('8080808000', 'hex')).varint()).toBe(0)
    expect(new Cursor(Buffer.from('80808080808080808000', 'hex')).varlong()).toBe(0)
  })

  test('a varint that the end cuts off is a violation and nothing behind the end is read', () => {
    for (const bytes of [varlongByDefinition(2n ** 62n), varlongByDefinition(300n)]) {
      for (let end = 0; end < bytes.length; end++) {
        expect(() => new Cursor(bytes, 0, end).varlong()).toThrow(ProtocolViolation)
        expect(() => new Cursor(bytes, 0, Math.min(end, 4)).unsignedVarint()).toThrow(ProtocolViolation)
      }
    }
  })

  test('a cursor cannot be put or moved outside of its bytes', () => {
    const bytes = Buffer.alloc(8)
    expect(() => new Cursor(bytes, 0, 9)).toThrow(ProtocolViolation)
    expect(() => new Cursor(bytes, 5, 4)).toThrow(ProtocolViolation)
    expect(() => new Cursor(bytes, -1, 4)).toThrow(ProtocolViolation)
    expect(() => new Cursor(bytes, 2, 4).skip(3)).toThrow(ProtocolViolation)
    expect(() => new Cursor(bytes, 2, 4).skip(-1)).toThrow(ProtocolViolation)
    expect(() => new Cursor(bytes, 4, 4).int8()).toThrow(ProtocolViolation)
  })
})
