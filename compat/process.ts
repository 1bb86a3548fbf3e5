// Clients that are programs: run one, feed it, keep its bytes as bytes.
import { type ChildProcess, spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

export interface Outcome {
  readonly code: number | null
  readonly stdout: Buffer
  readonly stderr: string
}

export interface RunOptions {
  readonly input?: string | Buffer
  readonly cwd?: string
  readonly timeoutMs?: number
}

/** Runs a program to its end. A program that ends badly is an outcome to look at, not an exception. */
export async function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const running = new Running(program, args, options.cwd)
  running.child.stdin!.end(options.input ?? '')
  const timer = setTimeout(() => running.child.kill('SIGKILL'), options.timeoutMs ?? 50_000)
  try {
    return await running.ended
  } finally {
    clearTimeout(timer)
  }
}

const live = new Set<Running>()

/** Plays something and ends what it left running: a scenario that fails half-way must not hold the others. */
export async function leavingNothing<T>(play: () => Promise<T>): Promise<T> {
  const before = new Set(live)
  try {
    return await play()
  } finally {
    for (const running of live) if (!before.has(running)) running.child.kill('SIGKILL')
  }
}

/** A program that goes on while the test watches it. */
export class Running {
  readonly child: ChildProcess
  readonly ended: Promise<Outcome>
  readonly #stdout: Buffer[] = []
  #stderr = ''

  constructor(program: string, args: readonly string[], cwd?: string) {
    this.child = spawn(program, args, { stdio: 'pipe', ...(cwd && { cwd }) })
    live.add(this)
    this.child.once('close', () => live.delete(this))
    this.child.stdout!.on('data', (bytes: Buffer) => this.#stdout.push(bytes))
    this.child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text
    })
    this.child.stdin!.on('error', () => {}) // a program that ended early: its exit code tells
    this.ended = new Promise((resolve, reject) => {
      this.child.once('error', reject)
      this.child.once('close', (code) => resolve({ code, stdout: this.stdout, stderr: this.#stderr }))
    })
    this.ended.catch(() => {}) // looked at by whoever waits for the end
  }

  get stdout(): Buffer {
    return Buffer.concat(this.#stdout)
  }

  get stderr(): string {
    return this.#stderr
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Outcome> {
    this.child.kill(signal)
    return this.ended
  }
}

/** A client that could not be made ready through its own fault: a failure, where a missing network is a skip. */
export class Broken extends Error {}

/** Waits until the condition holds; says what it waited for when it never does. */
export async function until(what: string, holds: () => boolean | Promise<boolean>, timeoutMs = 30_000): Promise<void> {
  const giveUpAt = Date.now() + timeoutMs
  while (!(await holds())) {
    if (Date.now() > giveUpAt) throw new Error(`waited ${timeoutMs} ms in vain until ${what}`)
    await sleep(50)
  }
}

/** The sentence for a skip when one of the programs is missing; undefined when all are there. */
export function missing(...programs: string[]): string | undefined {
  const absent = programs.filter((program) => !onPath(program))
  return absent.length > 0 ? `${absent.join(', ')} not found on PATH` : undefined
}

function onPath(program: string): boolean {
  const { PATH = '' } = process.env
  return PATH.split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}
