// Pairs of values as revisions of a key are, and as nobody would expect them: from a seed, for tests and for the decoders of others.

export type Pair = { readonly name: string; readonly source: Buffer; readonly target: Buffer }
export type Draw = (below: number) => number

/** Numbers that a seed decides (xorshift). */
export function drawing(seed: number): Draw {
  let state = (Math.imul(seed, 0x9e3779b1) ^ 0x5bd1e995) | 1
  return (below) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
}

export function noise(draw: Draw, length: number): Buffer {
  const bytes = Buffer.alloc(length)
  for (let i = 0; i < length; i++) bytes[i] = draw(256)
  return bytes
}

const words = ['paid', 'open', 'shipped', 'Berlin', 'Genève', 'Łódź', 'customer', 'amount', 'the', 'of']

/** A document with the same words again and again, as they have. */
export function document(draw: Draw, length: number): Buffer {
  const rows: string[] = []
  for (let size = 0; size < length; ) {
    const row = JSON.stringify({
      id: draw(1e6),
      status: words[draw(10)],
      place: words[draw(10)],
      amount: draw(1e5) / 100,
    })
    rows.push(row)
    size += row.length
  }
  return Buffer.from(rows.join(',')).subarray(0, length)
}

/** The value with `count` places replaced, inserted, removed, repeated or moved. */
export function edited(draw: Draw, value: Buffer, count: number): Buffer {
  const places = Array.from({ length: count }, () => draw(value.length + 1)).sort((a, b) => a - b)
  const pieces: Buffer[] = []
  let from = 0
  for (const place of places) {
    if (place < from) continue
    pieces.push(value.subarray(from, place))
    const size = 1 + draw(draw(8) === 0 ? 300 : 12)
    const kind = draw(5)
    if (kind <= 1) pieces.push(draw(2) === 0 ? noise(draw, size) : Buffer.from(String(draw(1e9))))
    if (kind === 3) pieces.push(Buffer.alloc(size, draw(256)))
    if (kind === 4) {
      const at = draw(value.length + 1)
      pieces.push(value.subarray(at, at + size * 3))
    }
    from = kind === 0 || kind === 2 ? Math.min(value.length, place + size) : place
  }
  pieces.push(value.subarray(from))
  return Buffer.concat(pieces)
}

function any(draw: Draw, length: number): Buffer {
  const kind = draw(4)
  if (kind === 0) return noise(draw, length)
  if (kind === 1) return Buffer.alloc(length, noise(draw, 1 + draw(9)))
  return document(draw, length)
}

const shapes: readonly ((draw: Draw, source: Buffer) => Buffer)[] = [
  (draw, source) => edited(draw, source, 1),
  (draw, source) => edited(draw, source, 1 + draw(4)),
  (draw, source) => edited(draw, source, 1 + (source.length >> 5)),
  (draw, source) => Buffer.concat([any(draw, 1 + draw(40)), source]),
  (draw, source) => Buffer.concat([source, any(draw, 1 + draw(40))]),
  (draw, source) => source.subarray(draw(source.length + 1)),
  (draw, source) => source.subarray(0, draw(source.length + 1)),
  (_, source) => Buffer.concat([source.subarray(source.length >> 1), source.subarray(0, source.length >> 1)]),
  (draw, source) => Buffer.concat(Array.from({ length: 2 + draw(3) }, () => source)),
  (_, source) => Buffer.from(source),
  (draw, source) => any(draw, source.length),
  (draw) => any(draw, draw(4)),
  (_, source) => Buffer.from(source).reverse(),
  (draw, source) => Buffer.from(source.map((byte) => (draw(50) === 0 ? byte ^ 1 : byte))),
]

/** One pair: small ones mostly, as most values are. */
export function pair(seed: number, lengthMax = 1 << 17): Pair {
  const draw = drawing(seed)
  const size = draw(10)
  const length = draw(size === 0 ? 4 : size < 6 ? 400 : size < 9 ? 6000 : lengthMax)
  const source = any(draw, length)
  const shape = draw(shapes.length)
  return { name: `seed ${seed}, shape ${shape}`, source, target: shapes[shape]!(draw, source) }
}

/** What a drawing might never draw. */
export function certainPairs(): Pair[] {
  const draw = drawing(1)
  const large = document(draw, 1_500_000)
  const named = (name: string, source: Buffer, target: Buffer): Pair => ({ name, source, target })
  return [
    named('both of one byte, another', Buffer.from('a'), Buffer.from('b')),
    named('both of one byte, the same', Buffer.from('a'), Buffer.from('a')),
    named('from nothing', Buffer.alloc(0), Buffer.from('something, for once')),
    named('from nothing, one byte repeated', Buffer.alloc(0), Buffer.alloc(5000, 7)),
    named('from nothing, three bytes repeated', Buffer.alloc(0), Buffer.alloc(5000, 'abc')),
    named('equal', document(draw, 3000), document(drawing(1), 3000)),
    named('first byte another', Buffer.from(`a${'x'.repeat(100)}`), Buffer.from(`b${'x'.repeat(100)}`)),
    named('last byte another', Buffer.from(`${'xy'.repeat(100)}a`), Buffer.from(`${'xy'.repeat(100)}b`)),
    named('zeros grow', Buffer.alloc(100), Buffer.alloc(70_000)),
    named('zeros shrink', Buffer.alloc(70_000), Buffer.alloc(100)),
    named(
      'the source ends as the target goes on',
      Buffer.from('0123456789abcdef'),
      Buffer.from('89abcdef89abcdef89abcdef!'),
    ),
    named('> 1 MiB, few edits', large, edited(draw, large, 5)),
    named('> 1 MiB, many edits', large, edited(draw, large, 3000)),
    named('> 1 MiB, shifted', large, large.subarray(777)),
    named('> 1 MiB, halves swapped', large, Buffer.concat([large.subarray(700_001), large.subarray(0, 700_001)])),
    named('> 1 MiB, random', noise(draw, 1_200_000), noise(draw, 1_100_000)),
    named('much becomes little', large, Buffer.from('gone')),
    named('little becomes much', Buffer.from('{"status":"paid"}'), large),
  ]
}
