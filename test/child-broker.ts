// A broker in a process of its own, which may be killed and started again on the same data and the same port.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

export class ChildBroker {
  readonly root = mkdtempSync(join(tmpdir(), 'twiglog-child-'))
  readonly #main: string
  readonly #options: readonly string[]
  readonly #ofNode: readonly string[]
  #child: ChildProcess | undefined
  #said = ''
  #complaints = ''
  port = 0
  /** Where HTTP is, if the options ask for it. */
  http = ''

  /** `main`: the built command; `options` go with every start, `ofNode` to Node itself. */
  constructor(main: string, options: readonly string[] = [], ofNode: readonly string[] = []) {
    this.#main = main
    this.#options = options
    this.#ofNode = ofNode
  }

  /** Undefined before the first start. */
  get pid(): number | undefined {
    return this.#child?.pid
  }

  /** What it wrote to its outputs. */
  get said(): string {
    return this.#said
  }

  /** What it wrote to standard error. */
  get complaints(): string {
    return this.#complaints
  }

  get isRunning(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null
  }

  get bootstrap(): string {
    return `127.0.0.1:${this.port}`
  }

  get data(): string {
    return join(this.root, 'data')
  }

  async start(): Promise<void> {
    const ready = join(this.root, 'ready.json')
    rmSync(ready, { force: true })
    const args = [
      this.#main,
      ...(this.#options.includes('--http-port') ? [] : ['--no-http']),
      '--port',
      String(this.port),
      '--data',
      this.data,
      '--ready-file',
      ready,
      ...this.#options,
    ]
    const child = spawn(process.execPath, [...this.#ofNode, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    this.#child = child
    child.stdout.on('data', (bytes: Buffer) => this.#hear(bytes))
    child.stderr.on('data', (bytes: Buffer) => {
      this.#hear(bytes)
      this.#complaints += String(bytes)
    })
    while (!existsSync(ready)) {
      if (child.exitCode !== null || child.signalCode !== null) throw new Error(`the broker ended: ${this.#said}`)
      await pause(5)
    }
    const { bootstrap, http } = JSON.parse(readFileSync(ready, 'utf8')) as { bootstrap: string; http?: string }
    this.port = Number(bootstrap.split(':')[1])
    this.http = http ?? ''
  }

  #hear(bytes: Buffer): void {
    this.#said += String(bytes)
  }

  /** `twiglog check` finds nothing that a start would not put right. */
  expectSound(): void {
    const said = this.check()
    if (said !== undefined) throw new Error(said)
  }

  /** What `twiglog check` complains of; undefined where it does not. */
  check(): string | undefined {
    const { status, stdout, stderr } = spawnSync(process.execPath, [this.#main, 'check', this.data])
    return status === 0 ? undefined : `twiglog check ended with ${status}: ${stdout}${stderr}`
  }

  async end(signal: NodeJS.Signals): Promise<number | null> {
    const gone = this.gone()
    if (this.isRunning) this.#child?.kill(signal)
    return gone
  }

  /** Resolves when it has ended, whoever ended it, with its exit code. */
  async gone(): Promise<number | null> {
    if (!this.isRunning) return null
    return await new Promise((resolve) => this.#child!.once('exit', resolve))
  }
}
