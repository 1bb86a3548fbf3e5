// Share partitions in a small world: time that moves when told, a log in memory that can refuse and be read again.

import type { Acquired, LogBatch } from '../../src/share/acquisition.ts'
import type { DeadLetter } from '../../src/share/dead-letters.ts'
import type { ShareSettings } from '../../src/share/settings.ts'
import type { SharePartition } from '../../src/share/share-partition.ts'
import { ShareStates, type StateLog } from '../../src/share/states.ts'
import { FakeClock, MemoryLog } from '../group/world.ts'

export const topicId = `${'T'.repeat(21)}A`
export const of = { groupId: 'workers', topicId, partition: 0 }

class MemoryStateLog extends MemoryLog implements StateLog {
  readonly partitionCount = 3
  readonly starts = new Map<number, number>()

  endOffset(partition: number): number {
    return (this.starts.get(partition) ?? 0) + (this.partitions.get(partition)?.length ?? 0)
  }

  async deleteBelow(partition: number, offset: number): Promise<void> {
    const start = this.starts.get(partition) ?? 0
    this.partitions.set(partition, (this.partitions.get(partition) ?? []).slice(offset - start))
    this.starts.set(partition, offset)
  }

  get recordCount(): number {
    return [...this.partitions.values()].reduce((sum, records) => sum + records.length, 0)
  }
}

/** Batches of `size` records each, from `first` on. */
export const batches = (first: number, count: number, size: number): LogBatch[] =>
  Array.from({ length: count }, (_, i) => ({
    first: first + i * size,
    last: first + (i + 1) * size - 1,
    isHidden: false,
  }))

/** `0-9x1 20-29x2`: what was handed out, and how often. */
export const shown = (acquired: readonly Acquired[]): string =>
  acquired
    .map(({ firstOffset, lastOffset, deliveryCount }) => `${firstOffset}-${lastOffset}x${deliveryCount}`)
    .join(' ')

export class ShareWorld {
  readonly clock = new FakeClock()
  readonly log = new MemoryStateLog(this.clock)
  settings: ShareSettings = {
    lockMs: 30_000,
    deliveriesMax: 5,
    locksMax: 2000,
    isCommitted: false,
    reset: 'earliest',
    mayRenew: true,
  }
  states = this.#open()

  #open(): ShareStates {
    const { clock, log } = this
    return new ShareStates({
      clock,
      log,
      updatesMax: 50,
      settings: () => this.settings,
      bury: (_, letters) => this.#bury(letters),
    })
  }

  /** What was given up: `4-5x5 exhausted`. */
  readonly buried: string[] = []

  async #bury(letters: readonly DeadLetter[]): Promise<void> {
    for (const { first, last, deliveryCount, burial } of letters)
      this.buried.push(`${first}-${last}x${deliveryCount} ${burial}`)
  }

  /** A share partition that begins at offset 0. */
  static async begun(settings: Partial<ShareSettings> = {}): Promise<ShareWorld> {
    const world = new ShareWorld()
    world.settings = { ...world.settings, ...settings }
    await world.states.initialise(of)
    await world.share.begin(0)
    return world
  }

  get share(): SharePartition {
    return this.states.find(of)!
  }

  /** The broker is killed, and another starts on the same log. */
  async restart(): Promise<void> {
    this.states.stop()
    this.states = this.#open()
    await this.states.load()
  }

  acquire(
    memberId: string,
    from: readonly LogBatch[],
    { recordsMax = 500, batchSize = 500, isStrict = false } = {},
  ): string {
    return shown(this.share.acquire(from, { memberId, recordsMax, batchSize, isStrict }))
  }

  /** `NONE`, or why not. Types: gap 0, accept 1, release 2, reject 3, renew 4. */
  async say(memberId: string, firstOffset: number, lastOffset: number, ...types: number[]): Promise<string> {
    const said = [{ firstOffset, lastOffset, acknowledgeTypes: types }]
    return (await this.share.acknowledge(memberId, said))?.error ?? 'NONE'
  }

  /** `available 0-4x2, acquired 5-9x1`: what is in flight. */
  get inFlight(): string {
    return this.share
      .inFlight!.ranges.map(({ state, first, last, deliveryCount }) => `${state} ${first}-${last}x${deliveryCount}`)
      .join(', ')
  }
}
