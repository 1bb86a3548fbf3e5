// node dist/bench/vcdiff.js: what a delta costs in CPU and bytes, beside what npm offers. Nothing but this process is measured, in
// CPU seconds, so it may run on a busy machine; rates are bytes of the value by CPU second, the best of several rounds.
// The others come from compat/vcdiff/node (npm ci there); without them ours are measured alone.
import { createRequire } from 'node:module'
import { deflateRawSync } from 'node:zlib'
import { DeltaError, decodeDelta } from '../src/revision/decode-delta.ts'
import { encodeDelta } from '../src/revision/encode-delta.ts'
import { document, drawing, edited, noise } from '../test/revision/delta-pairs.ts'

type Sample = { readonly source: Buffer; readonly target: Buffer }
type Codec = {
  readonly name: string
  readonly encode?: (source: Buffer, target: Buffer) => Uint8Array
  readonly decode: (source: Buffer, delta: Uint8Array) => Uint8Array
}

const rounds = Number(process.argv[2] ?? 5)
const roundSeconds = 0.15
const valueMax = 1 << 24
const goals = { encode: { small: 20, large: 100 }, decode: { large: 400 } }

const ours: Codec = {
  name: 'twiglog',
  encode: (source, target) => encodeDelta(source, target)!,
  decode: (source, delta) => decodeDelta(source, Buffer.from(delta.buffer, delta.byteOffset, delta.length), valueMax),
}

/** fossil-delta is the only encoder of npm that needs no compiler; its format is its own. */
function others(): Codec[] {
  // From dist/bench as from bench.
  const near = ['../compat/vcdiff/node/', '../../compat/vcdiff/node/'].map((path) => new URL(path, import.meta.url))
  for (const folder of near) {
    const load = createRequire(new URL('package.json', folder))
    try {
      const { decode } = load('@ably/vcdiff-decoder')
      const fossil = load('fossil-delta')
      return [
        { name: '@ably/vcdiff-decoder', decode: (source, delta) => decode(delta, source) },
        {
          name: 'fossil-delta',
          encode: (source, target) => fossil.createDelta(source, target),
          decode: (source, delta) => fossil.applyDelta(source, delta),
        },
      ]
    } catch {}
  }
  process.stderr.write('no others: npm ci in compat/vcdiff/node\n')
  return []
}

function seconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

/** Megabytes of value by CPU second: the best round, the first of which warms up. */
function rate(bytes: number, work: () => void): number {
  let best = 0
  for (let round = 0; round <= rounds; round++) {
    const start = seconds()
    let times = 0
    do {
      work()
      times++
    } while (seconds() - start < roundSeconds)
    if (round > 0) best = Math.max(best, (bytes * times) / (seconds() - start) / 1e6)
  }
  return Math.round(best)
}

function samples(length: number, edits: number): Sample[] {
  const count = Math.max(3, Math.min(64, Math.floor(2_000_000 / length)))
  return Array.from({ length: count }, (_, i) => {
    const draw = drawing(1000 + i)
    const source = document(draw, length)
    return { source, target: edited(draw, source, edits) }
  })
}

const draw = drawing(7)
const journeys: readonly (readonly [string, readonly Sample[]])[] = [
  ['200 B, 1 edit', samples(200, 1)],
  ['1 KB, 2 edits', samples(1024, 2)],
  ['1 KB, 20 edits', samples(1024, 20)],
  ['4 KB, 3 edits', samples(4096, 3)],
  ['16 KB, 10 edits', samples(16_384, 10)],
  ['64 KB, 5 edits', samples(65_536, 5)],
  ['64 KB, 100 edits', samples(65_536, 100)],
  ['256 KB, 100 edits', samples(262_144, 100)],
  ['1 MB, 1 edit', samples(1 << 20, 1)],
  ['1 MB, 20 edits', samples(1 << 20, 20)],
  ['1 MB, 1,000 edits', samples(1 << 20, 1000)],
  ['1 MB, nothing in common', [{ source: noise(draw, 1 << 20), target: noise(draw, 1 << 20) }]],
]

for (const [name, pairs] of journeys) {
  const bytes = pairs.reduce((sum, { target }) => sum + target.length, 0)
  const isLarge = bytes / pairs.length >= 60_000
  const deltas = pairs.map(({ source, target }) => encodeDelta(source, target)!)
  const deflated = pairs.reduce((sum, { target }) => sum + deflateRawSync(target).length, 0)
  for (const codec of [ours, ...others()]) {
    const { encode, decode } = codec
    const made = encode === undefined ? deltas : pairs.map(({ source, target }) => encode(source, target))
    pairs.forEach(({ source, target }, i) => {
      if (!target.equals(decode(source, made[i]!))) throw new DeltaError(`${codec.name}: another value, ${name}`)
    })
    const line = {
      journey: 'vcdiff',
      value: name,
      codec: codec.name,
      deltaBytes: Math.round(made.reduce((sum, { length }) => sum + length, 0) / pairs.length),
      deflatedValueBytes: Math.round(deflated / pairs.length),
      encodeMbPerCpuSecond:
        encode === undefined
          ? undefined
          : rate(bytes, () => pairs.forEach(({ source, target }) => void encode(source, target))),
      decodeMbPerCpuSecond: rate(bytes, () => pairs.forEach(({ source }, i) => void decode(source, made[i]!))),
    }
    const goal =
      codec !== ours
        ? {}
        : {
            encodeGoal: isLarge ? goals.encode.large : goals.encode.small,
            ...(isLarge ? { decodeGoal: goals.decode.large } : {}),
          }
    process.stdout.write(`${JSON.stringify({ ...line, ...goal })}\n`)
  }
}
