// The clients that do the work: small native ones, compiled on first use, or KafkaJS where that cannot be. They time
// themselves and stop at marks; at each mark we read the meters, then let them go on.
import { execFile, spawn } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { adopt } from './children.ts'
import { cacheFolder } from './home.ts'
import { between, type Reading, read, type Usage } from './meter.ts'
import type { RunningPeer } from './peers.ts'

export const sourceFolder = fileURLToPath(new URL('../../bench/native/', import.meta.url))
const kafkajsPath = fileURLToPath(new URL('./kafkajs-client.js', import.meta.url))
const runMsMax = 20 * 60_000

export interface Client {
  readonly name: string
  readonly command: readonly [string, ...string[]]
}

export interface Clients {
  /** Produces, consumes and measures latency as an application would. */
  readonly application: Client
  /** Sends ready-made bytes; absent where there is no C compiler. */
  readonly raw: Client | undefined
  /** What could not be built, and why that matters to the reader of the figures. */
  readonly missing: readonly string[]
}

export const kafkajs: Client = { name: 'KafkaJS', command: [process.execPath, kafkajsPath] }

export async function findClients(): Promise<Clients> {
  const raw = await compile('raw-client')
  const librdkafka = await compile('librdkafka-client', ['-lrdkafka', '-lpthread'])
  const missing = []
  if (!raw) missing.push('no C compiler: journeys with the raw client are left out')
  if (!librdkafka) missing.push('no librdkafka with headers: KafkaJS instead, whose own cost bounds the rates')
  return {
    application: librdkafka ? { name: 'librdkafka', command: [librdkafka] } : kafkajs,
    raw: raw ? { name: 'raw', command: [raw] } : undefined,
    missing,
  }
}

/** The path of a program of native/, compiled where it is not or was changed; undefined where that cannot be. */
export async function compile(name: string, libraries: readonly string[] = []): Promise<string | undefined> {
  const binary = join(cacheFolder('clients'), name)
  if (!existsSync(join(sourceFolder, `${name}.c`))) return undefined // a copy of what was built, without sources
  const headers = readdirSync(sourceFolder).filter((file) => file.endsWith('.h'))
  const sources = [`${name}.c`, ...headers].map((file) => join(sourceFolder, file))
  const changedAt = Math.max(...sources.map((file) => statSync(file).mtimeMs))
  if (existsSync(binary) && statSync(binary).mtimeMs > changedAt) return binary
  const args = ['-O2', '-o', binary, sources[0]!, ...libraries]
  return promisify(execFile)('cc', args).then(
    () => binary,
    () => undefined,
  )
}

export class Outcome {
  readonly #values: Record<string, number>
  readonly #marks: ReadonlyMap<string, Reading>
  #usage: Usage | undefined

  constructor(values: Record<string, number>, marks: ReadonlyMap<string, Reading>) {
    this.#values = values
    this.#marks = marks
  }

  value(name: string): number {
    const value = this.#values[name]
    if (value === undefined) throw new Error(`the client did not report ${name}`)
    return value
  }

  /** Not every client measures everything. */
  reports(name: string): boolean {
    return this.#values[name] !== undefined
  }

  at(mark: string): Reading {
    const reading = this.#marks.get(mark)
    if (!reading) throw new Error(`the client never came to mark ${mark}`)
    return reading
  }

  get rate(): number {
    return this.value('messages') / this.value('seconds')
  }

  /** One and the same object for all figures of a run: noise is counted once per measurement. */
  get usage(): Usage {
    this.#usage ??= between(this.at('begin'), this.at('end'))
    return this.#usage
  }
}

export type ClientArgs = Readonly<Record<string, string | number>>

export async function run(client: Client, mode: string, args: ClientArgs, peer: RunningPeer): Promise<Outcome> {
  const address = { brokers: `127.0.0.1:${peer.port}`, host: '127.0.0.1', port: peer.port }
  const named = Object.entries({ ...address, ...args }).flatMap(([name, value]) => [`--${name}`, `${value}`])
  const [command, ...first] = client.command
  const child = spawn(command, [...first, mode, ...named], { stdio: ['pipe', 'pipe', 'pipe'], timeout: runMsMax })
  const marks = new Map<string, Reading>()
  let said = ''
  let result: Record<string, number> | undefined
  child.stdin.on('error', () => undefined) // it died: its exit says why
  child.stderr.on('data', (text) => {
    said = (said + text).slice(-2000)
  })
  createInterface({ input: child.stdout }).on('line', (line) => {
    const mark = /^mark (\w+)$/.exec(line)?.[1]
    if (!mark) {
      result = JSON.parse(line)
      return
    }
    marks.set(mark, read(peer.pid, child.pid!))
    child.stdin.write('go\n')
  })
  child.once('error', (problem) => {
    said += problem.message
  })
  await adopt(child)
  if (!result)
    throw new Error(`${client.name} ${mode} against ${peer.peer.name} failed: ${said.trim() || child.signalCode}`)
  const { failed } = result as { failed?: number }
  if (failed) throw new Error(`${peer.peer.name} refused ${failed} messages`)
  return new Outcome(result, marks)
}
