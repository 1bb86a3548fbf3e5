// Looks records up by their times (KIP-79, KIP-734), beside a model that is the list of all times that were ever written: out of their
// order, far apart, the same again, in batches of every codec, while retention and deletions take the beginning.

import { listOffsets } from '../../protocol/messages/02-list-offsets.ts'
import { deleteRecords } from '../../protocol/messages/21-delete-records.ts'
import { codecs } from '../../protocol/records/compression.ts'
import type { Wanted } from '../crash-lab/making.ts'
import { attempt } from './attempt.ts'
import type { Caller } from './caller.ts'
import { writeOnce } from './write-once.ts'

const timed = 'timed'
export const timedTopic: Wanted = {
  name: timed,
  partitions: 1,
  configs: {
    'internal.segment.bytes': '1024',
    'index.interval.bytes': '100',
    'retention.bytes': '5000',
    'retention.ms': '-1',
    'message.timestamp.after.max.ms': '9223372036854775807',
  },
}
const spanMs = 3_600_000
/** What ListOffsets calls the beginning, and the record with the largest time. */
const earliest = -2
const latestOfAll = -3

type Found = { readonly offset: number; readonly timestamp: number }

export class Seeker {
  readonly #caller: Caller
  readonly #chance: () => number
  readonly #wrong: (what: string) => void
  readonly #right: () => void
  /** By offset: nothing but records has one here. */
  readonly #times: number[] = []
  #isLost = false

  constructor(caller: Caller, chance: () => number, wrong: (what: string) => void, right: () => void) {
    this.#caller = caller
    this.#chance = chance
    this.#wrong = wrong
    this.#right = right
  }

  #below(count: number): number {
    return Math.floor(this.#chance() * count)
  }

  async seek(): Promise<void> {
    if (this.#isLost) return
    await attempt(this.#caller, async () => {
      for (let i = 0; i < 4; i++) await this.#write()
      if (this.#chance() < 0.2) await this.#delete()
      await this.look()
    })
  }

  async lookAnew(): Promise<void> {
    this.#caller.close()
    await this.look()
  }

  /** Throws Lost. */
  async look(): Promise<void> {
    if (this.#isLost || this.#times.length === 0) return
    for (let i = 0; i < 6; i++) {
      const time = this.#times[this.#below(this.#times.length)]! + this.#below(3) - 1
      await this.#expect(time, (at) => at >= time)
    }
    await this.#expect(latestOfAll, (at, all) => at === Math.max(...all))
  }

  async #write(): Promise<void> {
    const now = Date.now()
    const again = this.#times.at(-1) ?? now
    const timeOf = () => (this.#chance() < 0.2 ? again : now + Math.round((this.#chance() - 0.5) * spanMs))
    const times = Array.from({ length: 1 + this.#below(4) }, timeOf)
    const values = times.map((timestamp) => ({
      key: 'k',
      value: `${timestamp}`.padEnd(60),
      timestamp,
      headers: [],
    }))
    this.#isLost = true // until it is known
    await writeOnce(this.#caller, timed, values, codecs[this.#below(codecs.length)]!)
    this.#isLost = false
    this.#times.push(...times)
  }

  /** Anywhere, in the midst of batches. */
  async #delete(): Promise<void> {
    const { offset: start } = await this.#ask(earliest)
    const offset = start + this.#below(this.#times.length - start)
    const topics = [{ name: timed, partitions: [{ partitionIndex: 0, offset }] }]
    const codesOf = (answer: { topics: readonly { partitions: readonly { errorCode: number }[] }[] }) =>
      answer.topics.flatMap(({ partitions }) => partitions.map(({ errorCode }) => errorCode))
    const known = ['OFFSET_OUT_OF_RANGE'] // retention was there before
    await this.#caller.insist(deleteRecords, 2, { topics, timeoutMs: 5000 }, codesOf, known)
  }

  async #ask(timestamp: number): Promise<Found> {
    const topics = [{ name: timed, partitions: [{ partitionIndex: 0, timestamp, currentLeaderEpoch: -1 }] }]
    const answer = await this.#caller.insist(listOffsets, 7, { replicaId: -1, isolationLevel: 0, topics }, (told) =>
      told.topics.flatMap(({ partitions }) => partitions.map(({ errorCode }) => errorCode)),
    )
    return answer.topics[0]!.partitions[0]!
  }

  /** The first of those that are there which is `it`; nothing is said where retention comes between. */
  async #expect(timestamp: number, isIt: (at: number, all: readonly number[]) => boolean): Promise<void> {
    const { offset: start } = await this.#ask(earliest)
    const found = await this.#ask(timestamp)
    if ((await this.#ask(earliest)).offset !== start) return
    const there = this.#times.slice(start)
    const due = there.findIndex((at) => isIt(at, there))
    const [offset, time] = due < 0 ? [-1, -1] : [start + due, there[due]!]
    if (found.offset === offset && found.timestamp === time) this.#right()
    else
      this.#wrong(
        `${timed}: asked for ${timestamp}, from ${start} on, it has ${found.timestamp} at ${found.offset}, where ${time} at ${offset} is due`,
      )
  }
}
