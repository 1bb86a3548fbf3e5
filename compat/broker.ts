// The broker under test: our own as a child process, or any other that already listens (--bootstrap).
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { requestLogOf } from './results.ts'

const main = fileURLToPath(new URL('../dist/bundle/main.js', import.meta.url))
/** What the compiler wrote; the bundle is made of it. */
const compiled = fileURLToPath(new URL('../dist/src/main.js', import.meta.url))
const startMs = 20_000
// What Kafka does every ten or fifteen seconds, done at once: a test has no time to wait.
const settings = [
  'log.cleaner.backoff.ms=500',
  'transaction.abort.timed.out.transaction.cleanup.interval.ms=1000',
  'group.consumer.heartbeat.interval.ms=1000',
  'group.consumer.min.heartbeat.interval.ms=500',
  'group.share.heartbeat.interval.ms=1000',
  'group.share.min.heartbeat.interval.ms=500',
  'group.share.min.record.lock.duration.ms=1000',
]
const stopMs = 20_000

export type StopSignal = 'SIGTERM' | 'SIGKILL'

export interface BrokerUnderTest {
  readonly bootstrap: string
  /** Why the broker cannot be restarted; undefined where it can. */
  readonly restartSkip: string | undefined
  /** How many Fetch requests it has answered since its start; undefined where it does not tell. */
  fetchCount(): Promise<number | undefined>
  /** Stops the broker with the signal, leaves it down for `downMs`, and is done when the same address answers again. */
  restart(signal: StopSignal, downMs?: number): Promise<void>
  stop(): Promise<void>
}

/** What no ACL speaks of is allowed. */
const guarding = [
  'authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer',
  'allow.everyone.if.no.acl.found=true',
]

/** One of our own besides, with Kafka's authorizer. */
export const startGuarded = (): Promise<BrokerUnderTest> => OwnBroker.start('guarded', guarding)

export async function startBroker(client: string): Promise<BrokerUnderTest> {
  const { COMPAT_BOOTSTRAP: given } = process.env
  return given ? foreign(given) : await OwnBroker.start(client)
}

function foreign(bootstrap: string): BrokerUnderTest {
  const { COMPAT_RESTART_CMD: command } = process.env
  return {
    bootstrap,
    restartSkip: command ? undefined : 'a broker given with --bootstrap is restarted only by COMPAT_RESTART_CMD',
    async restart(signal) {
      const child = spawn('sh', ['-c', command!], { stdio: 'ignore', env: { ...process.env, COMPAT_SIGNAL: signal } })
      const code = await new Promise((resolve) => child.once('exit', resolve))
      if (code !== 0) throw new Error(`COMPAT_RESTART_CMD ended with ${code}`)
    },
    fetchCount: async () => undefined,
    async stop() {},
  }
}

class OwnBroker implements BrokerUnderTest {
  readonly restartSkip = undefined
  readonly #home: string
  readonly #requestLog: string
  readonly #settings: readonly string[]
  #child: ChildProcess | undefined
  #port = 0
  #http: string | undefined
  #said = ''

  private constructor(home: string, requestLog: string, more: readonly string[]) {
    this.#home = home
    this.#settings = [...settings, ...more]
    this.#requestLog = requestLog
  }

  static async start(client: string, more: readonly string[] = []): Promise<OwnBroker> {
    if (!existsSync(main)) throw new Error('dist/bundle/main.js is missing: run `npm run build` at the root first')
    if (statSync(main).mtimeMs < statSync(compiled).mtimeMs) throw new Error('dist/bundle is old: run `npm run build`')
    const home = await mkdtemp(join(tmpdir(), 'twiglog-compat-'))
    const broker = new OwnBroker(home, await requestLogOf(client), more)
    try {
      await broker.#launch()
    } catch (problem) {
      await broker.stop()
      throw problem
    }
    return broker
  }

  get bootstrap(): string {
    return `127.0.0.1:${this.#port}`
  }

  async restart(signal: StopSignal, downMs = 300): Promise<void> {
    await this.#end(signal)
    await sleep(downMs)
    await this.#launch()
  }

  async fetchCount(): Promise<number | undefined> {
    if (this.#http === undefined) return undefined
    const metrics = await (await fetch(`${this.#http}/metrics`)).text()
    const count = /^kafka_network_requestmetrics_requests_total\{request="Fetch"\} (\d+)/m.exec(metrics)?.[1]
    return count === undefined ? undefined : Number(count)
  }

  async stop(): Promise<void> {
    await this.#end('SIGTERM')
    await rm(this.#home, { recursive: true, force: true })
  }

  async #launch(): Promise<void> {
    const ready = join(this.#home, 'ready.json')
    await rm(ready, { force: true }) // a kill -9 leaves the old one behind
    const data = join(this.#home, 'data')
    const args = [main, 'start', '--port', String(this.#port), '--data', data, '--ready-file', ready]
    for (const setting of this.#settings) args.push('--set', setting)
    args.push('--request-log', this.#requestLog, '--http-port', '0')
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    this.#child = child
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#said = (this.#said + text).slice(-4_000) // the tail is what explains an early end
      })
    }
    const { bootstrap, http } = await this.#readiness(child, ready)
    this.#http = http
    this.#port = Number(bootstrap.slice(bootstrap.lastIndexOf(':') + 1))
  }

  async #readiness(child: ChildProcess, ready: string): Promise<{ bootstrap: string; http?: string }> {
    const giveUpAt = Date.now() + startMs
    while (Date.now() < giveUpAt) {
      if (hasEnded(child)) throw new Error(`the broker ended before it was ready:\n${this.#said}`)
      const line = await readFile(ready, 'utf8').catch(() => '')
      if (line.endsWith('\n')) return JSON.parse(line) // no newline: half written
      await sleep(10)
    }
    throw new Error(`the broker was not ready after ${startMs} ms:\n${this.#said}`)
  }

  async #end(signal: StopSignal): Promise<void> {
    const child = this.#child
    if (!child || hasEnded(child)) return
    const ended = new Promise<boolean>((resolve) => child.once('exit', () => resolve(true)))
    child.kill(signal)
    if (await Promise.race([ended, sleep(stopMs, false, { ref: false })])) return
    child.kill('SIGKILL') // or it would outlive the tests
    throw new Error(`the broker did not end within ${stopMs} ms of ${signal}:\n${this.#said}`)
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}
