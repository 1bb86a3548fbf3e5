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
  #child: ChildProcess | undefined
  #said = ''
  port = 0

  /** `main`: the built command; `options` go with every start. */
  constructor(main: string, options: readonly string[] = []) {
    this.#main = main
    this.#options = options
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
      '--no-http',
      '--port',
      String(this.port),
      '--data',
      this.data,
      '--ready-file',
      ready,
      ...this.#options,
    ]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    this.#child = child
    child.stdout.on('data', (bytes: Buffer) => this.#hear(bytes))
    child.stderr.on('data', (bytes: Buffer) => this.#hear(bytes))
    while (!existsSync(ready)) {
      if (child.exitCode !== null || child.signalCode !== null) throw new Error(`the broker ended: ${this.#said}`)
      await pause(5)
    }
    const { bootstrap } = JSON.parse(readFileSync(ready, 'utf8')) as { bootstrap: string }
    this.port = Number(bootstrap.split(':')[1])
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
    const child = this.#child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return null
    const gone = new Promise<number | null>((resolve) => child.once('exit', resolve))
    child.kill(signal)
    return gone
  }
}
