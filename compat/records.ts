// The records every driver sends. The same bytes through every client, so that a difference is the client's or the broker's.
import { createHash, randomBytes } from 'node:crypto'

export interface KafkaRecord {
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: ReadonlyArray<readonly [name: string, value: Buffer | null]>
}

export const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
export type Codec = (typeof codecs)[number]

const everyByte = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))

/** Each pair that a careless broker or codec would melt into one. */
export const shapes: readonly KafkaRecord[] = [
  record('key', 'value'),
  record(null, 'the key is null'),
  record('', 'the key is empty'),
  record('the value is null', null),
  record('the value is empty', ''),
  record(null, null),
  record('', ''),
  record(everyByte, everyByte),
  record('one header', 'v', [['name', Buffer.from('value')]]),
  record('empty header value', 'v', [['empty', Buffer.alloc(0)]]),
  record('binary header value', 'v', [['bytes', everyByte.subarray(1)]]),
  record('NUL in a header value', 'v', [['NUL', everyByte]]),
  record('one name twice', 'v', [
    ['again', Buffer.from('first')],
    ['again', Buffer.from('second')],
  ]),
  record('headers out of order', 'v', [
    ['b', Buffer.from('1')],
    ['a', Buffer.from('2')],
    ['c', Buffer.from('3')],
  ]),
  record('beyond ASCII: ключ 鍵 🔑', 'значение 値 💎', [['имя', Buffer.from('名')]]),
]

/** Text that a codec can shrink, as real data is, with a line that is different each time. */
export function text(count: number, label: string): KafkaRecord[] {
  return Array.from({ length: count }, (_, i) =>
    record(`${label}-${i}`, `${label} ${i}: the river is the same, the water is not; ${'drop '.repeat(i % 40)}`),
  )
}

/** 1,000,000 bytes that no codec can shrink below the limit it is meant to test. */
export const large: KafkaRecord = record('large', incompressible(1_000_000))

export function incompressible(byteCount: number): Buffer {
  const parts: Buffer[] = []
  for (let i = 0; i * 32 < byteCount; i++) parts.push(createHash('sha256').update(`large ${i}`).digest())
  return Buffer.concat(parts).subarray(0, byteCount)
}

/** Two runs against one foreign broker must not meet in one topic, nor two scenarios that thought of the same word. */
const run = randomBytes(4).toString('hex')
let freshCount = 0
export function fresh(name: string): string {
  return `compat-${name}-${run}-${++freshCount}`
}

export function record(
  key: string | Buffer | null,
  value: string | Buffer | null,
  headers: KafkaRecord['headers'] = [],
): KafkaRecord {
  return { key: bytes(key), value: bytes(value), headers }
}

function bytes(given: string | Buffer | null): Buffer | null {
  return typeof given === 'string' ? Buffer.from(given) : given
}

/** One line per record that shows every byte and the difference between null and empty; equal lines, equal records. */
export function shown(records: readonly KafkaRecord[]): string[] {
  return records.map(({ key, value, headers }) =>
    [mark(key), mark(value), ...headers.map(([name, held]) => `${name}=${mark(held)}`)].join(' | '),
  )
}

function mark(held: Buffer | null): string {
  if (held === null) return 'null'
  if (held.length > 1_000) return `${held.length} bytes, sha256 ${createHash('sha256').update(held).digest('hex')}`
  return `${held.length}:${held.toString('latin1')}`
}
