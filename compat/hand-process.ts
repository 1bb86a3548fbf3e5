// A hand that is a program: commands to its stdin, answers from its stdout, its last words where it ends too early.
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { errorName } from '../protocol/errors.ts'
import { Cannot, type Hand, type Hello, lacks, Refused, type Verb, type Verbs } from './hand.ts'

const answerMs = 110_000 // a client that waits for a broker to come back is patient
const helloMs = 30_000
const wordsMax = 3_000

interface Answer {
  readonly hello?: Hello
  readonly ok?: unknown
  readonly error?: string | number
  readonly message?: string
  readonly cannot?: string
}

export class HandProcess implements Hand {
  readonly #child
  readonly #ended: Promise<void>
  readonly #waiting: { resolve(answer: Answer): void; reject(problem: Error): void }[] = []
  #hello: Hello | undefined
  #stderr = ''
  #last: Promise<unknown> = Promise.resolve()
  #over = false

  private constructor([program, ...args]: readonly string[], bootstrap: string, cwd: string, clientId?: string) {
    const env = clientId === undefined ? process.env : { ...process.env, COMPAT_CLIENT_ID: clientId }
    this.#child = spawn(program!, [...args, bootstrap], { cwd, stdio: 'pipe', env })
    this.#child.stdin.on('error', () => {}) // a program that ended early; `close` tells
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-wordsMax)
    })
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      const next = this.#waiting.shift()
      try {
        next?.resolve(JSON.parse(line) as Answer)
      } catch {
        next?.reject(new Error(`the hand said what is no JSON: ${line.slice(0, wordsMax)}`))
      }
    })
    this.#ended = new Promise((resolve) => {
      const over = (why: string) => {
        this.#over = true
        for (const { reject } of this.#waiting.splice(0)) reject(new Error(`${why}: ${this.#stderr}`))
        resolve()
      }
      this.#child.once('error', (problem) => over(`the hand did not start (${problem.message})`))
      this.#child.once('close', (code, signal) => over(`the hand ended with ${code ?? signal}`))
    })
  }

  static async start(
    command: readonly string[],
    bootstrap: string,
    cwd: string,
    clientId?: string,
  ): Promise<HandProcess> {
    const hand = new HandProcess(command, bootstrap, cwd, clientId)
    try {
      const { hello } = await hand.#answer('hello', helloMs)
      if (hello === undefined) throw new Error('the hand did not say hello')
      hand.#hello = hello
      return hand
    } catch (problem) {
      await hand.kill()
      throw problem
    }
  }

  get hello(): Hello {
    return this.#hello!
  }

  async ask<V extends Verb>(verb: V, fields: Verbs[V]['ask']): Promise<Verbs[V]['answer']> {
    const why = lacks(this.hello, verb, fields as { readonly [name: string]: unknown })
    if (why !== undefined) throw new Cannot(why)
    const turn = this.#last.then(() => this.#say(verb, fields))
    this.#last = turn.catch(() => {}) // one at a time, whoever asks
    const { ok, error, message = '', cannot } = await turn
    if (cannot !== undefined) throw new Cannot(cannot)
    if (error !== undefined) throw new Refused(typeof error === 'number' ? errorName(error) : error, message)
    return ok as Verbs[V]['answer']
  }

  async #say(verb: string, fields: object): Promise<Answer> {
    if (this.#over) throw new Error(`the hand is gone: ${this.#stderr}`)
    this.#child.stdin.write(`${JSON.stringify({ verb, ...fields })}\n`)
    return this.#answer(verb, answerMs)
  }

  async #answer(what: string, ms: number): Promise<Answer> {
    let timer: NodeJS.Timeout | undefined
    const answer = new Promise<Answer>((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      timer = setTimeout(() => {
        reject(new Error(`the hand did not answer ${what} within ${ms} ms: ${this.#stderr}`))
        this.#child.kill('SIGKILL') // its later answers would be taken for those to other commands
      }, ms)
    })
    return answer.finally(() => clearTimeout(timer))
  }

  get isOver(): boolean {
    return this.#over
  }

  async close(): Promise<void> {
    this.#child.stdin.end()
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 5_000)
    await this.#ended
    clearTimeout(timer)
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#ended
  }
}
