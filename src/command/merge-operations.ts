// Merges, resolutions and reverts as one thing: what commands may ask for, what is read at a start, and what follows when a
// topic goes. One at a time, whoever asks.

import type { MergeCommand, PlanCommand, ResolveCommand, RevertCommand } from '../branch/commands.ts'
import type { BranchEvent } from '../branch/events.ts'
import { eventOfMerge } from '../branch/merge-event.ts'
import type { Broker } from '../broker/broker.ts'
import type { Rooms } from './forking.ts'
import { type History, isOfTheDisk } from './history.ts'
import { MergeCommits } from './merge-commit.ts'
import { recoverMerges } from './merge-recovery.ts'
import { MergeTransaction } from './merge-transaction.ts'
import { Merging } from './merging.ts'
import { OpenConflicts } from './open-conflicts.ts'
import type { Executor } from './operations.ts'
import { Resolving } from './resolving.ts'
import { Reverting } from './reverting.ts'

type Asked = MergeCommand | ResolveCommand | RevertCommand

export class MergeOperations {
  readonly #broker: Broker
  readonly #history: History
  readonly #transaction: MergeTransaction
  readonly #commits: MergeCommits
  readonly conflicts: OpenConflicts
  readonly plan: Executor<PlanCommand>
  readonly merge: Executor<MergeCommand>
  readonly resolve: Executor<ResolveCommand>
  readonly revert: Executor<RevertCommand>
  #last: Promise<unknown> = Promise.resolve()

  constructor({ broker, transactions }: Rooms, history: History) {
    this.#broker = broker
    this.#history = history
    this.#transaction = new MergeTransaction(
      transactions,
      broker.clock,
      broker.config.number('transaction.max.timeout.ms'),
      ({ topic, partition }) => broker.topic(topic)?.partitions[partition]?.offline !== undefined,
    )
    this.conflicts = new OpenConflicts(broker)
    const { conflicts } = this
    const transaction = this.#transaction
    const commits = new MergeCommits(broker, history, transaction, conflicts)
    this.#commits = commits
    const rooms = { broker, history, transaction, conflicts, commits, tellsValues: broker.authorizer === undefined }
    const merging = new Merging(rooms)
    this.plan = merging.plan
    this.merge = this.#inTurn(merging.merge)
    this.resolve = this.#inTurn(new Resolving(rooms).resolve)
    this.revert = this.#inTurn(new Reverting(rooms).revert)
    broker.onTopicDeleted(({ id }) => {
      conflicts.abandon(id).catch((cause: unknown) => console.error('Conflicts of a deleted topic stay open:', cause))
    })
  }

  #inTurn<C extends Asked>(executor: Executor<C>): Executor<C> {
    return (command, call) => {
      const done = this.#last.then(async () => {
        const recovered = (await this.#recover()) && !command.dryRun ? this.#history.result(command.id) : undefined
        return recovered ?? (await executor(command, call))
      })
      this.#last = done.catch(() => {})
      return done
    }
  }

  /** Tells what a kill has kept from being told, and finishes or takes back what it has interrupted. Transactions and history have been read. */
  async load(): Promise<void> {
    try {
      for (const record of this.#broker.lineage.merges.values()) {
        if (!this.#history.hasResult(record.id)) await this.#history.write(eventOfMerge(record))
      }
      await this.#recover()
      this.conflicts.load()
      await this.#abandonGone()
    } catch (cause) {
      if (!isOfTheDisk(cause)) throw cause
      console.error(`What a kill has left of a merge is not settled yet: ${String(cause)}`)
    }
  }

  /** Topics went, and a kill, or a disk, kept their conflicts from being closed. */
  async #abandonGone(): Promise<void> {
    const ids = new Set(this.conflicts.all.flatMap(({ fromId, intoId }) => [fromId, intoId]))
    for (const id of ids) if (this.#broker.topicById(id) === undefined) await this.conflicts.abandon(id)
  }

  /**
   * What a kill has interrupted, or a disk that did not say whether it was committed: told now, if it was. Answers whether there
   * was anything. Rejects with StorageError, Corruption.
   */
  async #recover(): Promise<boolean> {
    if (this.#broker.lineage.begun.size === 0) return false
    await recoverMerges(this.#broker, this.#history, this.#transaction)
    this.conflicts.load()
    return true
  }

  /** What a merge has come to whose result the disk did not take: it is not planned again, or it would be told to have written nothing. */
  async untold(id: string): Promise<BranchEvent | undefined> {
    const record = this.#broker.lineage.merges.get(id)
    if (record === undefined) return undefined
    await this.#commits.settle()
    return eventOfMerge(record)
  }

  reset(): void {
    this.conflicts.reset()
  }
}
