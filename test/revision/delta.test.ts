// What the encoder writes, the decoder reads; what it writes is what RFC 3284 says; and no bytes whatever do worse than a DeltaError.

import { describe, expect, test } from 'vitest'
import { CopyFinder } from '../../src/revision/copy-finder.ts'
import { DeltaError, decodeDelta } from '../../src/revision/decode-delta.ts'
import { encodeDelta, encodeInSlices } from '../../src/revision/encode-delta.ts'
import { sizeBytes, writeSize } from '../../src/revision/vcdiff.ts'
import { certainPairs, document, drawing, edited, noise, type Pair, pair } from './delta-pairs.ts'

const lengthMax = 1 << 24
const seed = Number(process.env['TWIGLOG_SEED'] ?? Date.now() % 1_000_000)
const soakMs = Number(process.env['TWIGLOG_SOAK_SECONDS'] ?? 0) * 1000

function finderOf(source: Buffer, target: Buffer): CopyFinder {
  const finder = new CopyFinder()
  finder.find(source, target, target.length)
  return finder
}

function eachSeed(count: number, play: (seed: number) => void): void {
  const until = Date.now() + soakMs
  for (let i = seed; i < seed + count || Date.now() < until; i++) {
    try {
      play(i)
    } catch (cause) {
      throw new Error(`TWIGLOG_SEED=${i}`, { cause })
    }
  }
}

function roundTrip({ name, source, target }: Pair): Buffer {
  const before = Buffer.from(source)
  const delta = encodeDelta(source, target)!
  const made = decodeDelta(source, delta, target.length)
  if (!made.equals(target)) throw new Error(`${name}: ${made.length} bytes come back, others`)
  if (!before.equals(source)) throw new Error(`${name}: the source was written to`)
  return delta
}

const hex = (text: string) => Buffer.from(text.replaceAll(/\s/g, ''), 'hex')
const header = 'd6c3c400 00'
const nothing = Buffer.alloc(0)

/** A delta by hand: window and sections are measured, so that each test says only what it is about. */
function byHand(
  segment: string,
  length: string,
  sections: readonly [string, string, string],
  beside = { indicator: '00', after: '' },
): Buffer {
  const parts = sections.map(hex)
  const sizes = Buffer.concat(parts.map(({ length }) => sized(length)))
  const window = Buffer.concat([hex(length), hex(beside.indicator), sizes, ...parts])
  return Buffer.concat([hex(header), hex(segment), sized(window.length), window, hex(beside.after)])
}

function sized(size: number): Buffer {
  const bytes = Buffer.alloc(sizeBytes(size))
  writeSize(bytes, 0, size)
  return bytes
}

describe('a delta', () => {
  test('of any pair makes the target of the source again', () => {
    console.log(`seed ${seed}`)
    eachSeed(800, (i) => roundTrip(pair(i)))
  })

  test.each(certainPairs())('makes the target again: $name', (each) => {
    roundTrip(each)
  })

  test('is written as RFC 3284 draws it', () => {
    const source = Buffer.from('0123456789abcdef')
    const written = (target: string) => encodeDelta(source, Buffer.from(target))!
    // COPY of 16 in one code. Its address, 0, is one that every cache begins with.
    expect(written('0123456789abcdef')).toEqual(hex(`${header} 01 10 00 07 10 00 00 01 01 80 00`))
    // ADD of 1, COPY of 8 from 4, ADD of 1.
    expect(written('!456789ab?')).toEqual(hex(`${header} 01 10 00 0b 0a 00 02 03 01 21 3f 02 18 02 04`))
    // ADD of 1, COPY of 5 from 4 and ADD of 4, each in a code of its own.
    expect(written('!45678????')).toEqual(hex(`${header} 01 10 00 0e 0a 00 05 03 01 21 3f 3f 3f 3f 02 15 05 04`))
    // No source, no segment.
    expect(encodeDelta(nothing, Buffer.from('abc'))).toEqual(hex(`${header} 00 09 03 00 03 01 00 61 62 63 04`))
  })

  test('is the same where it is made in slices, several at a time', () => {
    const play = (pairs: readonly Pair[], sliceBytes: number) => {
      const walks = pairs.map(({ source, target }) => encodeInSlices(source, target, target.length + 32, sliceBytes))
      const made = new Map<number, Buffer | undefined>()
      while (made.size < pairs.length) {
        for (const [i, walk] of walks.entries()) {
          const { done, value } = walk.next()
          if (done) made.set(i, made.get(i) ?? value)
        }
      }
      for (const [i, { name, source, target }] of pairs.entries()) {
        const whole = encodeDelta(source, target, target.length + 32)
        expect(made.get(i)?.toString('hex'), `${name} in slices of ${sliceBytes}`).toBe(whole?.toString('hex'))
      }
    }
    play(certainPairs(), 4096)
    eachSeed(20, (i) => play([pair(i), pair(i + 1), pair(i + 2)], 1 + drawing(i)(300)))
  })

  test('of long values that have nothing in common looks at no more than a slice at a time', () => {
    const [source, target] = [document(drawing(1), 4 << 20), document(drawing(2), 4 << 20)]
    const walk = encodeInSlices(source, target, target.length, 65_536)
    let slices = 1
    while (!walk.next().done) slices++
    // Both are copied, the source is entered, where it is long by every 16th place, the target is looked through, copies are written.
    expect(slices).toBeGreaterThan((source.length + target.length) / 65_536 + target.length / 65_536)
    const { count } = finderOf(source, target)
    expect(slices).toBeGreaterThan((source.length + 2 * target.length) / 65_536 + (2 * count) / 16_384 - 4)
  })

  test('has no copy that reads what it makes, or from both values: not every decoder can', () => {
    const finder = new CopyFinder()
    const play = ({ name, source, target }: Pair) => {
      finder.find(source, target, target.length)
      let end = source.length
      for (let i = 0; i < finder.count; i++) {
        const [start, address, length] = [finder.starts[i]!, finder.addresses[i]!, finder.lengths[i]!]
        const readTo = address < source.length ? source.length : start
        if (start < end || address + length > readTo) throw new Error(`${name}: ${length} from ${address} to ${start}`)
        end = start + length
      }
    }
    for (const each of certainPairs()) play(each)
    eachSeed(300, (i) => play(pair(i)))
  })

  test('of a small edit is small', () => {
    const draw = drawing(3)
    const source = document(draw, 4096)
    const target = Buffer.concat([source.subarray(0, 2000), Buffer.from('another'), source.subarray(2007)])
    expect(encodeDelta(source, target)!.length).toBeLessThan(40)
    const moved = document(draw, 1_000_000)
    const swapped = Buffer.concat([moved.subarray(500_000), moved.subarray(0, 500_000)])
    expect(encodeDelta(moved, swapped)!.length).toBeLessThan(60)
  })

  test('of what has nothing in common is hardly longer than the value', () => {
    const draw = drawing(4)
    for (const length of [1, 100, 5000, 300_000]) {
      expect(encodeDelta(noise(draw, length), noise(draw, length))!.length).toBeLessThanOrEqual(length + 32)
    }
  })

  test('longer than allowed is none, and one that fits is the same as without the limit', () => {
    eachSeed(200, (i) => {
      const { source, target } = pair(i, 20_000)
      const free = encodeDelta(source, target)!
      expect(encodeDelta(source, target, free.length - 1)).toBeUndefined()
      const bound = encodeDelta(source, target, free.length)
      if (bound !== undefined) expect(bound.equals(free)).toBe(true)
      expect(encodeDelta(source, target, free.length + target.length)!.equals(free)).toBe(true)
    })
  })

  test('does not depend on what was encoded before it', () => {
    const { source, target } = pair(5)
    const alone = encodeDelta(source, target)!
    for (const other of certainPairs()) encodeDelta(other.source, other.target)
    for (let i = 0; i < 50; i++) encodeDelta(pair(i).source, pair(i).target)
    expect(encodeDelta(source, target)!.equals(alone)).toBe(true)
    const large = edited(drawing(6), document(drawing(6), 400_000), 400)
    const again = encodeDelta(source, large)!
    encodeDelta(large, source)
    expect(encodeDelta(source, large)!.equals(again)).toBe(true)
  })
})

describe('a delta of somebody else', () => {
  const abc = Buffer.from('abcdefgh')

  test('may use every instruction', () => {
    // RUN of 5, ADD of 2, COPY of 4 from 2, then of 4 from what was just made, ADD of 3 with its size in a byte.
    const delta = byHand('01 08 00', '12', ['78 3132 414243', '0005 03 14 14 0103', '02 08'])
    expect(decodeDelta(abc, delta, 100).toString()).toBe('xxxxx12cdefxxxxABC')
  })

  test('may put an ADD and a COPY, or a COPY and an ADD, into one code, by any mode of addresses', () => {
    for (let mode = 0; mode < 9; mode++) {
      for (let added = 1; added <= 4; added++) {
        for (let copied = 4; copied <= (mode < 6 ? 6 : 4); copied++) {
          // §5.6: rows by mode, in them by size to add, in them by size to copy. Address 0, by each mode.
          const code = mode < 6 ? 163 + mode * 12 + (added - 1) * 3 + copied - 4 : 235 + (mode - 6) * 4 + added - 1
          const address = mode === 1 ? 8 + added : 0
          const sections = ['78787878'.slice(0, added * 2), code.toString(16), sized(address).toString('hex')] as const
          const made = decodeDelta(
            abc,
            byHand('01 08 00', sized(added + copied).toString('hex'), sections),
            100,
          ).toString()
          expect(made).toBe('x'.repeat(added) + 'abcdef'.slice(0, copied))
        }
      }
      const both = byHand('01 08 00', '05', ['79', (247 + mode).toString(16), mode === 1 ? '08' : '00'])
      expect(decodeDelta(abc, both, 100).toString()).toBe('abcdy')
    }
  })

  test('may copy from the source into the target, and what it only just makes', () => {
    // COPY of 10 from 6: g, h, and then what this copy itself makes.
    expect(decodeDelta(abc, byHand('01 08 00', '0a', ['', '1a', '06']), 100).toString()).toBe('ghghghghgh')
    expect(decodeDelta(nothing, byHand('00', '8149', ['616263', '04 13 8146', '00']), 300).toString()).toBe(
      'abc'.repeat(67),
    )
  })

  test('may take a part of the source as its segment', () => {
    expect(decodeDelta(abc, byHand('01 04 03', '04', ['', '14', '00']), 100).toString()).toBe('defg')
  })

  test('may make nothing', () => {
    expect(decodeDelta(abc, byHand('01 08 00', '00', ['', '', '']), 0).length).toBe(0)
    expect(decodeDelta(nothing, encodeDelta(nothing, nothing)!, 0).length).toBe(0)
  })
})

describe('no delta', () => {
  const abc = Buffer.from('abcdefgh')
  const good: [string, string, string] = ['', '14', '00']
  const wrong: readonly [string, Buffer, RegExp][] = [
    ['is empty', nothing, /end too early/],
    ['has another magic', hex('d6c3c5000001080007040000010114 00'), /does not begin/],
    ['has another version', hex('d6c3c45300'), /does not begin/],
    ['asks for a secondary compressor', hex('d6c3c4000101'), /a compressor, a code table/],
    ['asks for a code table', hex('d6c3c4000201'), /a compressor, a code table/],
    ['has an application header', hex('d6c3c4000400'), /a compressor, a code table/],
    ['has no window', hex(header), /end too early/],
    ['takes its segment from the target', byHand('02 08 00', '04', good), /window of kind 2/],
    ['has a checksum', byHand('05 08 00', '04', good), /window of kind 5/],
    ['has a segment beyond the source', byHand('01 08 01', '04', good), /shorter than the segment/],
    ['has a segment larger than the source', byHand('01 09 00', '04', good), /shorter than the segment/],
    ['has a huge segment', byHand('01 87ffffff7f 87ffffff7f', '04', good), /shorter than the segment/],
    ['would make more than is allowed', byHand('01 08 00', '8800', good), /1024 bytes where 1000 are allowed/],
    ['would make two gigabytes', byHand('01 08 00', '87ffffff7f', good), /2147483647 bytes where 1000/],
    ['has a compressed section', byHand('01 08 00', '04', good, { indicator: '01', after: '' }), /compressed/],
    [
      'has bytes after the window',
      byHand('01 08 00', '04', good, { indicator: '00', after: '00' }),
      /followed by 1 bytes/,
    ],
    [
      'has a second window',
      byHand('01 08 00', '04', good, { indicator: '00', after: '0006010001000102' }),
      /followed by/,
    ],
    ['copies from the very end', byHand('01 08 00', '04', ['', '14', '08']), /nothing is yet/],
    ['copies from beyond the end', byHand('01 08 00', '04', ['', '14', '87ffffff7f']), /nothing is yet/],
    ['copies from before the beginning', byHand('01 08 00', '04', ['', '24', '09']), /nothing is yet/],
    ['copies from a near address that is too far', byHand('01 08 00', '04', ['', '34', '08']), /nothing is yet/],
    ['copies from nothing at all', byHand('00', '04', ['', '14', '00']), /nothing is yet/],
    ['makes more than it says', byHand('01 08 00', '03', good), /more than the target/],
    ['makes less than it says', byHand('01 08 00', '05', good), /less than the target/],
    [
      'has an instruction that overflows',
      byHand('01 08 00', '04', ['', '13 87ffffff7f', '00']),
      /more than the target/,
    ],
    ['has no byte to repeat', byHand('01 08 00', '04', ['', '0004', '']), /bytes to add end/],
    ['has too few bytes to add', byHand('01 08 00', '04', ['414243', '05', '']), /bytes to add end/],
    ['has bytes that nothing adds', byHand('01 08 00', '04', ['41', '14', '00']), /bytes to add are followed by 1/],
    ['has addresses that nothing reads', byHand('01 08 00', '04', ['', '14', '0000']), /addresses are followed by 1/],
    ['lacks an address', byHand('01 08 00', '04', ['', '14', '']), /addresses end/],
    ['lacks the size of an instruction', byHand('01 08 00', '04', ['', '13', '00']), /instructions end/],
    ['has an integer of six bytes', byHand('01 808080808008 00', '04', good), /too long/],
    ['has an integer of 2³¹', byHand('01 8880808000 00', '04', good), /too long/],
    ['has an integer that begins with nothing', byHand('01 8008 00', '04', good), /too long/],
    ['has sections that end beyond the window', hex(`${header} 01 08 00 07 04 00 00 7f 01 14 00`), /sections end/],
    [
      'has sections that end before it',
      hex(`${header} 01 08 00 08 04 00 00 01 01 14 00 00`),
      /sections are followed by 1/,
    ],
    [
      'has a window that ends beyond the delta',
      hex(`${header} 01 08 00 7f 04 00 00 01 01 14 00`),
      /header and window end/,
    ],
  ]

  test('is the one that these are made from', () => {
    expect(decodeDelta(abc, byHand('01 08 00', '04', good), 1000).toString()).toBe('abcd')
  })

  test.each(wrong)('%s', (_, delta, message) => {
    expect(() => decodeDelta(abc, delta, 1000)).toThrow(DeltaError)
    expect(() => decodeDelta(abc, delta, 1000)).toThrow(message)
  })

  test('is what is left of one that was cut, wherever', () => {
    const { source, target } = {
      source: document(drawing(8), 900),
      target: edited(drawing(9), document(drawing(8), 900), 12),
    }
    const delta = encodeDelta(source, target)!
    for (let length = 0; length < delta.length; length++) {
      expect(() => decodeDelta(source, delta.subarray(0, length), lengthMax)).toThrow(DeltaError)
    }
    expect(() => decodeDelta(source.subarray(1), delta, lengthMax)).toThrow(/shorter than the segment/)
  })

  test('comes to no worse end than a DeltaError, or a value within the limit, whatever is changed in a good one', () => {
    console.log(`seed ${seed}`)
    let refused = 0
    eachSeed(600, (i) => {
      const { source, target } = pair(i, 3000)
      const delta = Buffer.from(encodeDelta(source, target)!)
      const draw = drawing(i + 1)
      for (let k = 0; k < 20; k++) {
        const hostile = Buffer.from(delta)
        for (let n = draw(4); n >= 0; n--) {
          const at = draw(draw(3) === 0 ? hostile.length : Math.min(hostile.length, 24))
          hostile[at] = draw(2) === 0 ? draw(256) : hostile[at]! ^ (1 << draw(8))
        }
        try {
          expect(decodeDelta(source, hostile, 10_000).length).toBeLessThanOrEqual(10_000)
        } catch (problem) {
          if (!(problem instanceof DeltaError)) throw problem
          refused++
        }
      }
    })
    expect(refused).toBeGreaterThan(1000)
  })

  test('is any noise behind a good beginning', () => {
    eachSeed(2000, (i) => {
      const draw = drawing(i)
      const tail = noise(draw, draw(60))
      const start = hex(`${header} 01 08 00`)
      try {
        decodeDelta(abc, Buffer.concat([start, sized(tail.length), tail]), 1000)
      } catch (problem) {
        if (!(problem instanceof DeltaError)) throw problem
      }
    })
  })
})
