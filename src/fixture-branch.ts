// The branch set of one test file, as the file holds it. The broker is in another process; nothing of it is loaded here.

import { randomUUID } from 'node:crypto'
import { request } from 'node:http'
import type { FixtureAnswer, FixtureCall, ForkTold } from './fixture-broker.ts'
import type { Diff, DiffOptions, ForkOptions, MergeOptions, MergeResult } from './fork-handle.ts'

/** What is forked for a test file: everything, unless it says less. */
export type BranchOptions = Partial<ForkOptions>

/** The topics of the run as they were after seeding, for one test file alone. Usable from its `beforeAll` on. */
export class TestBranch {
  #address = ''
  #fork: ForkTold | undefined

  /** Called by the fixtures before the first test of the file. */
  async begin(address: string | undefined, options: BranchOptions): Promise<void> {
    if (address === undefined) {
      throw new Error('No broker was started for this run: name a file that exports globalBroker(…) as globalSetup.')
    }
    this.#address = address
    const set = `test-${randomUUID().slice(0, 8)}`
    this.#fork = (await this.#ask({ op: 'fork', options: { from: '*', set, ...options } })) as ForkTold
  }

  /** Called by the fixtures after the last test of the file. */
  async end(): Promise<void> {
    if (this.#fork === undefined) return
    await this.#ask({ op: 'drop', set: this.#fork.set })
    this.#fork = undefined
  }

  get #made(): ForkTold {
    if (this.#fork === undefined) throw new Error('The branch of a test file is there in its hooks and tests only.')
    return this.#fork
  }

  /** What clients take: whoever connects there finds the topics of the run under their names, and nothing else. */
  get bootstrapServers(): string {
    return this.#made.bootstrapServers
  }

  get set(): string {
    return this.#made.set
  }

  /** Names of the topics, and of the branches that they stand for: what the broker's own listener knows them by. */
  get topics(): Readonly<Record<string, string>> {
    return this.#made.topics
  }

  /** What this file has written so far. */
  diff(options: DiffOptions = {}): Promise<Diff> {
    return this.#ask({ op: 'diff', set: this.set, options }) as Promise<Diff>
  }

  /** Brings it into the topics of the run, for files that begin later. */
  merge(options: MergeOptions = {}): Promise<MergeResult> {
    return this.#ask({ op: 'merge', set: this.set, options }) as Promise<MergeResult>
  }

  async #ask(call: FixtureCall): Promise<unknown> {
    const { result, error } = await post(this.#address, call)
    if (error === undefined) return result
    throw Object.assign(new Error(error.message), error.code === undefined ? {} : { code: error.code })
  }
}

/** Without `fetch`: environments that play a browser have another one, or none. */
function post(address: string, call: FixtureCall): Promise<FixtureAnswer> {
  return new Promise((resolve, reject) => {
    const asking = request(address, { method: 'POST', agent: false }, (response) => {
      const parts: Buffer[] = []
      response.on('data', (part: Buffer) => parts.push(part))
      response.on('error', reject)
      response.on('end', () => resolve(JSON.parse(Buffer.concat(parts).toString()) as FixtureAnswer))
    })
    asking.on('error', reject)
    asking.end(JSON.stringify(call))
  })
}
