// Commands of branches as any producer sends them: each is sent until it is acknowledged, and again where its result is long in
// coming. Its id makes it one.

import { errorName } from '../../protocol/errors.ts'
import { produce } from '../../protocol/messages/00-produce.ts'
import { batchOf, type Connect, type WireClient } from '../wire-client.ts'
import type { BranchTold } from './history.ts'
import { walk } from './log-reader.ts'
import { pause } from './pause.ts'

const restMs = 60
const againMs = 3_000
export const patienceMs = 60_000

export class Orders {
  readonly #connect: Connect
  readonly #name: string
  readonly #results = new Map<string, BranchTold>()
  #client: WireClient | undefined
  #read = 0
  failures = 0
  lastError = ''

  constructor(connect: Connect, name: string) {
    this.#connect = connect
    this.#name = name
  }

  close(): void {
    this.#client?.close()
  }

  /** What became of it; undefined where nobody said so for long. `acknowledged`: it was, for the first time. */
  async give(id: string, command: object, acknowledged: () => void = () => {}): Promise<BranchTold | undefined> {
    const value = JSON.stringify(command)
    const giveUpAt = performance.now() + patienceMs
    let isTold = false
    while (performance.now() < giveUpAt) {
      const offset = await this.produce('__branch_commands', 0, [{ key: id, value, headers: [] }])
      if (offset !== undefined && !isTold) acknowledged()
      isTold ||= offset !== undefined
      const result = isTold ? await this.#result(id, againMs) : undefined
      if (result !== undefined) return result
    }
    return undefined
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
  async produce(topic: string, index: number, records: Parameters<typeof batchOf>[0]): Promise<number | undefined> {
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
    this.#client ??= await this.#connect(this.#name)
    return this.#client
  }

  #lost({ message }: Error): void {
    this.failures++
    this.lastError = message.slice(0, 200)
    this.#client?.close()
    this.#client = undefined
  }
}
