// Commands of a program that has the broker inside. They go into `__branch_commands` as anybody's do: in order with theirs, told in
// the history, and run again after a kill.

import { encodeBatch } from '../../protocol/records/builder.ts'
import { inProcess } from '../auth/authorizer.ts'
import type { BranchEvent } from '../branch/events.ts'
import { commandsTopic, hostHeader, jsonTopics, principalHeader } from '../branch/json-topics.ts'
import type { Broker } from '../broker/broker.ts'
import { TopicOnDemand } from '../broker/topic-on-demand.ts'
import { randomId } from '../storage/clock.ts'
import type { History } from './history.ts'

type Waiting = { resolve(event: BranchEvent): void; reject(cause: Error): void }

export class Asking {
  readonly #broker: Broker
  readonly #commands: TopicOnDemand
  /** By the id of the command. */
  readonly #waiting = new Map<string, Waiting>()
  #isOver = false

  constructor(broker: Broker, history: History) {
    this.#broker = broker
    this.#commands = new TopicOnDemand(broker, jsonTopics.find(({ name }) => name === commandsTopic)!)
    history.onResult((event) => this.#answer(event))
  }

  /** The result of a command, be it a rejection. Rejects when the broker stops before there is one; with StorageError. */
  async ask(command: object, by: string): Promise<BranchEvent> {
    const id = `p-${randomId(this.#broker.clock)}`
    const topic = await this.#commands.make()
    if (this.#isOver) throw stopped()
    const result = new Promise<BranchEvent>((resolve, reject) => this.#waiting.set(id, { resolve, reject }))
    result.catch(() => {}) // the broker may stop before we come to wait for it
    const record = {
      value: JSON.stringify({ id, ...command }),
      timestamp: this.#broker.clock.now(),
      headers: [
        { key: principalHeader, value: by },
        { key: hostHeader, value: inProcess },
      ],
    }
    try {
      const partition = topic.partitions[0]!
      partition.appendOwn(encodeBatch({ records: [record] }))
      await partition.flush() // nobody, the loop neither, sees it before
    } catch (cause) {
      this.#waiting.delete(id)
      throw cause
    }
    return result
  }

  /** Nobody waits any longer. */
  stop(): void {
    this.#isOver = true
    this.#giveUp(stopped())
  }

  /** The commands are gone, and nobody will run them. */
  reset(): void {
    this.#giveUp(new Error('The broker was reset before the command had a result.'))
  }

  #giveUp(cause: Error): void {
    for (const { reject } of this.#waiting.values()) reject(cause)
    this.#waiting.clear()
  }

  #answer(event: BranchEvent): void {
    this.#waiting.get(event.id)?.resolve(event)
    this.#waiting.delete(event.id)
  }
}

const stopped = (): Error => new Error('The broker was stopped before the command had a result.')
