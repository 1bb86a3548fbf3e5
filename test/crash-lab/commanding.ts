// Makes branches, writes into them, merges them, takes merges back and drops branches, by commands as any producer sends
// them. A command is sent until it is acknowledged, and again where its result is long in coming: its id makes it one.

import { errorName } from '../../protocol/errors.ts'
import { produce } from '../../protocol/messages/00-produce.ts'
import { batchOf, type Connect, type WireClient } from '../wire-client.ts'
import { documentOf } from './documents.ts'
import type { BranchTold, Telling } from './history.ts'
import { walk } from './log-reader.ts'
import { pause } from './pause.ts'

const parent = 'keyed'
const partitions = 2
const restMs = 60
/** Each branch that is there is read by every audit and every check. */
const betweenMs = 250
const againMs = 3_000
const patienceMs = 60_000

export class Commander {
  readonly #connect: Connect
  readonly #history: Telling
  readonly #chance: () => number
  readonly #results = new Map<string, BranchTold>()
  #client: WireClient | undefined
  #read = 0
  #n = 0
  /** Names of topics that an audit looks at. */
  readonly branches = new Set<string>()
  readonly done = { fork: 0, merge: 0, revert: 0, abandon: 0 }
  readonly refused: string[] = []
  failures = 0
  lastError = ''

  constructor(connect: Connect, history: Telling, chance: () => number) {
    this.#connect = connect
    this.#history = history
    this.#chance = chance
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.live()
      await pause(betweenMs)
    }
    this.close()
  }

  close(): void {
    this.#client?.close()
  }

  /** Of one branch, from its fork to its end. */
  async live(): Promise<void> {
    const branch = `${parent}--b${++this.#n}`
    const to = branch
    if (!(await this.#command('fork', `fork-${this.#n}`, parent, branch, { from: parent, to }))) return
    this.branches.add(branch)
    for (let i = 0; i < 3; i++) await this.#write(branch, i)
    const id = `merge-${this.#n}`
    const strategy = this.#chance() < 0.5 ? 'three-way' : 'replay'
    const merging = { from: branch, into: parent, strategy, onConflict: 'theirs' }
    const merged = await this.#command('merge', id, parent, branch, merging)
    if (merged && this.#chance() < 0.4) {
      await this.#command('revert', `revert-${this.#n}`, parent, '', { topic: parent, merge: id, onConflict: 'ours' })
    }
    if (this.branches.size <= 3) return
    const [oldest] = this.branches
    this.branches.delete(oldest!)
    await this.#command('abandon', `abandon-${this.#n}`, oldest!, '', { branch: oldest })
  }

  /** Of its own keys, each of which is written once, and of keys that the parent's producers write too. */
  async #write(branch: string, turn: number): Promise<void> {
    const partition = turn % partitions
    for (const kind of ['own', 'both'] as const) {
      const producer = `${kind}.${branch}.${turn}`
      const count = 4
      const call = this.#history.nextCall()
      this.#history.tell({ t: 'sent', call, producer, topic: branch, partition, from: 0, count })
      const records = Array.from({ length: count }, (_, i) => ({
        key: kind === 'own' ? `${producer}.${i}` : `k${i}`,
        value: documentOf(`${producer}#${i}`),
        timestamp: Date.now(),
        headers: [],
      }))
      const offset = await this.#produce(branch, partition, records)
      if (offset === undefined) this.#history.tell({ t: 'unknown', call, error: 'no answer' })
      else this.#history.tell({ t: 'acked', call, offsets: records.map((_, i) => offset + i) })
    }
  }

  /** Whether it was done. */
  async #command(
    op: keyof Commander['done'],
    id: string,
    topic: string,
    from: string,
    fields: object,
  ): Promise<boolean> {
    this.#history.tell({ t: 'command', id, op, topic, from })
    const value = JSON.stringify({ op, id, ...fields })
    const giveUpAt = performance.now() + patienceMs
    let isTold = false
    while (performance.now() < giveUpAt) {
      const offset = await this.#produce('__branch_commands', 0, [{ key: id, value, headers: [] }])
      if (offset !== undefined && !isTold) this.#history.tell({ t: 'commanded', id })
      isTold ||= offset !== undefined
      const result = isTold ? await this.#result(id, againMs) : undefined
      if (result === undefined) continue
      const isDone = result.status === 'done' || result.status === 'committed'
      if (isDone) this.done[op]++
      else this.refused.push(`${id}: ${JSON.stringify(result).slice(0, 300)}`)
      return isDone
    }
    this.refused.push(`${id}: no result within ${patienceMs} ms`)
    return false
  }

  async #result(id: string, ms: number): Promise<BranchTold | undefined> {
    const giveUpAt = performance.now() + ms
    while (performance.now() < giveUpAt) {
      try {
        this.#read = await walk(
          await this.#connected(),
          { topic: '__branches', partition: 0 },
          this.#read,
          0,
          ({ value }) => {
            const event = JSON.parse(String(value)) as BranchTold
            if (!['merge-begin', 'merge-aborted', 'plan'].includes(event.type) && !this.#results.has(event.id)) {
              this.#results.set(event.id, event)
            }
          },
        )
      } catch (problem) {
        this.#lost(problem as Error)
      }
      const result = this.#results.get(id)
      if (result !== undefined) return result
      await pause(restMs)
    }
    return undefined
  }

  /** The offset; undefined where there was no answer, or a refusal. */
  async #produce(topic: string, index: number, records: Parameters<typeof batchOf>[0]): Promise<number | undefined> {
    try {
      const client = await this.#connected()
      const topicData = [{ name: topic, partitionData: [{ index, records: batchOf(records) }] }]
      const answer = await client.ask(produce, 9, { acks: -1, timeoutMs: 5000, topicData })
      const { errorCode, baseOffset } = answer.responses[0]!.partitionResponses[0]!
      if (errorCode === 0) return baseOffset
      throw new Error(`Produce to ${topic}: ${errorName(errorCode)}`)
    } catch (problem) {
      this.#lost(problem as Error)
      await pause(restMs)
      return undefined
    }
  }

  async #connected(): Promise<WireClient> {
    this.#client ??= await this.#connect('crash-lab-commands')
    return this.#client
  }

  #lost({ message }: Error): void {
    this.failures++
    this.lastError = message.slice(0, 200)
    this.#client?.close()
    this.#client = undefined
  }
}
