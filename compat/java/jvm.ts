// The JVM side: fetches the jars once, runs the console tools, and keeps one Hand (Hand.java) at work.
import { createHash } from 'node:crypto'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createInterface, type Interface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { type Outcome, Running, run } from '../process.ts'
import type { KafkaRecord } from '../records.ts'

const folder = fileURLToPath(new URL('.', import.meta.url))
const target = `${folder}target`
const fetchMs = 600_000
// A short life is most of it start-up: no second compiler, no parallel collector.
const jvm = ['-Xmx256M', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto']

export const tools = {
  topics: 'org.apache.kafka.tools.TopicCommand',
  producer: 'org.apache.kafka.tools.ConsoleProducer',
  consumer: 'org.apache.kafka.tools.consumer.ConsoleConsumer',
  groups: 'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand',
  configs: 'kafka.admin.ConfigCommand',
  offsets: 'org.apache.kafka.tools.GetOffsetShell',
  deleteRecords: 'org.apache.kafka.tools.DeleteRecordsCommand',
} as const
type Tool = keyof typeof tools

/** Jars and class files under target/, made again whenever the pom or the source has changed. */
export async function prepare(): Promise<void> {
  await mkdir(target, { recursive: true })
  for (const set of ['tools', 'client']) {
    await onceFor(['pom.xml'], `${target}/${set}`, () =>
      must('mvn', [
        '-B',
        '-q',
        '-P',
        set,
        'dependency:copy-dependencies',
        `-DoutputDirectory=${target}/${set}`,
        '-DincludeScope=runtime',
      ]),
    )
  }
  await onceFor(['pom.xml', 'Hand.java'], `${target}/hand`, () =>
    must('javac', ['--release', '17', '-cp', `${target}/client/*`, '-d', `${target}/hand`, 'Hand.java']),
  )
}

async function onceFor(sources: readonly string[], made: string, make: () => Promise<void>): Promise<void> {
  const hash = createHash('sha256')
  for (const source of sources) hash.update(await readFile(`${folder}${source}`))
  const stamp = hash.digest('hex')
  if ((await readFile(`${made}.stamp`, 'utf8').catch(() => '')) === stamp) return
  await rm(made, { recursive: true, force: true })
  await make()
  await writeFile(`${made}.stamp`, stamp) // last, so that a broken download is tried again
}

async function must(program: string, args: readonly string[]): Promise<void> {
  const { code, stdout, stderr } = await run(program, args, { cwd: folder, timeoutMs: fetchMs })
  if (code !== 0) throw new Error(`${program} ended with ${code}: ${stdout}${stderr}`)
}

export class Console {
  readonly #bootstrap: string

  constructor(bootstrap: string) {
    this.#bootstrap = bootstrap
  }

  /** Runs a tool to a good end and gives what it printed. */
  async run(tool: Tool, args: readonly string[], input = ''): Promise<string> {
    const { code, stdout, stderr } = await this.attempt(tool, args, input)
    if (code !== 0) throw new Error(`${tool} ${args.join(' ')} ended with ${code}: ${stdout}${stderr}`)
    return stdout.toString()
  }

  async attempt(tool: Tool, args: readonly string[], input = ''): Promise<Outcome> {
    return run('java', this.#args(tool, args), { input })
  }

  start(tool: Tool, args: readonly string[]): Running {
    return new Running('java', this.#args(tool, args))
  }

  #args(tool: Tool, args: readonly string[]): string[] {
    return [...jvm, '-cp', `${target}/tools/*`, tools[tool], '--bootstrap-server', this.#bootstrap, ...args]
  }
}

export interface HandRead {
  readonly offset: number
  readonly timestamp: number
  readonly record: KafkaRecord
}

/** One JVM for the whole run. Commands are answered in order, so a queue of those who wait is all it takes. */
export class Hand {
  readonly #running: Running
  readonly #answers: Interface
  readonly #waiting: { resolve(answer: string): void; reject(problem: Error): void }[] = []

  constructor(bootstrap: string) {
    this.#running = new Running('java', [...jvm, '-cp', `${target}/hand:${target}/client/*`, 'Hand', bootstrap])
    this.#answers = createInterface({ input: this.#running.child.stdout! })
    this.#answers.on('line', (line) => {
      const [word, answer = ''] = line.split('\t')
      if (word === 'ok') this.#waiting.shift()?.resolve(answer)
      else this.#waiting.shift()?.reject(new Error(answer))
    })
    this.#answers.on('close', () => {
      for (const { reject } of this.#waiting.splice(0))
        reject(new Error(`the Java hand ended: ${this.#running.stderr}`))
    })
  }

  async open(...settings: string[]): Promise<void> {
    await this.command('producer', ...settings)
  }

  /** Sends all and gives their offsets. */
  async send(topic: string, records: readonly KafkaRecord[], timestamps?: readonly number[]): Promise<number[]> {
    const sent = records.map(({ key, value, headers }, i) => {
      const pairs = headers.flatMap(([name, held]) => [packed(Buffer.from(name)), packed(held)])
      return this.command('send', topic, String(timestamps?.[i] ?? '-'), packed(key), packed(value), ...pairs)
    })
    await Promise.all(sent)
    return (await this.command('flush')).split(' ').map(Number)
  }

  async read(topic: string, from: number, count: number): Promise<HandRead[]> {
    const answer = await this.command('read', topic, String(from), String(count))
    return answer === '' ? [] : answer.split('|').map(unpackedRecord)
  }

  command(...words: string[]): Promise<string> {
    this.#running.child.stdin!.write(`${words.join('\t')}\n`)
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }))
  }

  async stop(): Promise<void> {
    this.#running.child.stdin!.end()
    await this.#running.ended
  }
}

function unpackedRecord(line: string): HandRead {
  const [offset, timestamp, key, value, ...rest] = line.split(' ')
  const headers: [string, Buffer | null][] = []
  for (let i = 0; i < rest.length; i += 2) headers.push([String(unpacked(rest[i])), unpacked(rest[i + 1])])
  return {
    offset: Number(offset),
    timestamp: Number(timestamp),
    record: { key: unpacked(key), value: unpacked(value), headers },
  }
}

function packed(held: Buffer | null): string {
  return held === null ? '-' : held.toString('base64')
}

function unpacked(word: string | undefined): Buffer | null {
  if (word === undefined) throw new Error('the Java hand left a word out')
  return word === '-' ? null : Buffer.from(word.slice(0, -1), 'base64')
}
