// kcat (librdkafka) as a function: records in as its arguments and input, records out as raw bytes.
import { type Outcome, Running, run } from '../process.ts'
import type { KafkaRecord } from '../records.ts'

// With -1 for null, the lengths tell null from empty and say where binary keys and values end.
const after = '<after the record>' // headers have no length of their own
const recordFormat = `%p %o %K %S\n%k%s%h${after}`

// No record holds these two, so a key or a value may hold any single byte.
const between = '<between key and value>'

export interface Read {
  readonly partition: number
  readonly offset: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: string
}

export class Kcat {
  readonly #bootstrap: string

  constructor(bootstrap: string) {
    this.#bootstrap = bootstrap
  }

  /** Runs kcat to its end and fails with its own words if that is not the end it should have. */
  async run(args: readonly string[], input: string | Buffer = ''): Promise<Outcome> {
    const outcome = await run('kcat', this.#args(args), { input })
    if (outcome.code !== 0) throw new Error(`kcat ${args.join(' ')} ended with ${outcome.code}: ${outcome.stderr}`)
    return outcome
  }

  /** As `run`, where a bad end is what the test is about. */
  async attempt(args: readonly string[], input: string | Buffer = ''): Promise<Outcome> {
    return run('kcat', this.#args(args), { input })
  }

  start(args: readonly string[]): Running {
    return new Running('kcat', this.#args(args))
  }

  /** Lines `key<TAB>value` to one partition: the way for many records without control bytes. */
  async sendLines(topic: string, records: readonly KafkaRecord[], settings: readonly string[] = []): Promise<void> {
    const input = records.map(({ key, value }) => `${key}\t${value}\n`).join('')
    await this.run(['-P', '-t', topic, '-p', '0', '-K', '\t', ...settings], input)
  }

  /** One record with any bytes in key and value. Headers are arguments, so they hold no NUL. */
  async sendOne(topic: string, { key, value, headers }: KafkaRecord, settings: readonly string[] = []): Promise<void> {
    const named = headers.flatMap(([name, held]) => ['-H', held === null ? name : `${name}=${held}`])
    const nulls = key === null || value === null ? ['-Z'] : [] // what is empty in the input is then null
    const input = Buffer.concat([key ?? Buffer.alloc(0), Buffer.from(between), value ?? Buffer.alloc(0)])
    await this.run(['-P', '-t', topic, '-p', '0', '-K', between, '-D', after, ...nulls, ...named, ...settings], input)
  }

  /** Everything from a place to the present end of the topic. */
  async read(topic: string, from: string, settings: readonly string[] = []): Promise<Read[]> {
    const { stdout } = await this.run(['-C', '-t', topic, '-e', '-q', '-o', from, '-f', recordFormat, ...settings])
    return parsed(stdout)
  }

  /** A group member that goes on until it is stopped; `parsed` reads what it has printed. */
  member(groupId: string, topic: string): Running {
    const group = ['-X', 'auto.offset.reset=earliest', '-X', 'heartbeat.interval.ms=200']
    return this.start([...group, '-u', '-f', recordFormat, '-G', groupId, topic])
  }

  #args(args: readonly string[]): string[] {
    return ['-b', this.#bootstrap, '-m', '30', ...args]
  }
}

/** Reads `recordFormat` back. A record that is still being printed is left out. */
export function parsed(bytes: Buffer): Read[] {
  const records: Read[] = []
  let at = 0
  while (at < bytes.length) {
    const lineEnd = bytes.indexOf('\n', at)
    const [partition, offset, keyBytes, valueBytes] = bytes.subarray(at, lineEnd).toString().split(' ').map(Number)
    const keyAt = lineEnd + 1
    const valueAt = keyAt + Math.max(0, keyBytes ?? 0)
    const valueEnd = valueAt + Math.max(0, valueBytes ?? 0)
    const headersEnd = bytes.indexOf(after, valueEnd)
    if (lineEnd < 0 || headersEnd < 0) break
    records.push({
      partition: partition!,
      offset: offset!,
      key: keyBytes! < 0 ? null : bytes.subarray(keyAt, valueAt),
      value: valueBytes! < 0 ? null : bytes.subarray(valueAt, valueEnd),
      headers: bytes.subarray(valueEnd, headersEnd).toString('latin1'),
    })
    at = headersEnd + after.length
  }
  return records
}

/** What `read` gives for records that were sent: kcat prints headers as one list, and a null one as NULL. */
export function asRead(records: readonly KafkaRecord[]): string[] {
  return records.map(({ key, value, headers }) => {
    const list = headers.map(([name, held]) => `${latin1(name)}=${held === null ? 'NULL' : held.toString('latin1')}`)
    return line(key, value, list.join(','))
  })
}

export function lines(read: readonly Read[]): string[] {
  return read.map(({ key, value, headers }) => line(key, value, headers))
}

function line(key: Buffer | null, value: Buffer | null, headers: string): string {
  return `${quoted(key)} ${quoted(value)} ${headers}`
}

function quoted(held: Buffer | null): string {
  return held === null ? 'null' : `'${held.toString('latin1')}'`
}

function latin1(name: string): string {
  return Buffer.from(name).toString('latin1')
}
