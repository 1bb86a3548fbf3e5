// Forks of one log against a model of ten lines: whatever is written, deleted, forked again or killed on one side, every
// log shows its own history and nothing of another's.

import { dirname } from 'node:path'
import { describe, expect, test } from 'vitest'
import * as batch from '../../protocol/records/batch.ts'
import { checkLog } from '../../src/log/check.ts'
import { forkLog } from '../../src/log/fork.ts'
import type { Inherited } from '../../src/log/inherited.ts'
import { Log } from '../../src/log/log.ts'
import { borrow, type Store } from '../../src/storage/file.ts'
import { places } from '../storage/stores.ts'
import { append, batchOf, smallConfig } from './log-environment.ts'
import { committedOf, openFrom, readCommitted, type Sent, stableOffset } from './read-committed.ts'

const outcomeOf = () => 'ABORT' as const
let folders = 0

/** A log with what it was made of, so that it can be opened again. */
class Life {
  readonly store: Store
  readonly folder: string
  readonly inherited: Inherited | undefined
  readonly epoch: number
  log: Log
  sent: Sent[] = []

  constructor(store: Store, inherited?: Inherited, folder = `topics/${folders++}/0`, epoch = 0) {
    this.store = store
    this.inherited = inherited
    this.folder = folder
    this.epoch = epoch
    this.log = new Log(store, folder, smallConfig, inherited)
  }

  get #options() {
    return { leaderEpoch: this.epoch, now: 1000 }
  }

  write(values: readonly string[], producer = -1, sequence = 0): void {
    const options = producer < 0 ? {} : { producer: { id: producer, epoch: 0, sequence }, isTransactional: true }
    const result = this.log.append(batchOf(values, options), this.#options)
    if (!('baseOffset' in result)) throw new Error(`${result.error}: ${result.message}`)
    this.sent.push({ base: result.baseOffset, values, producer, isTransactional: producer >= 0 })
  }

  end(producer: number, marker: 'COMMIT' | 'ABORT'): void {
    const source = { producerId: producer, producerEpoch: 0, coordinatorEpoch: 0, transactionVersion: 1 }
    const result = this.log.appendMarker({ type: marker, ...source, timestamp: 1000 }, this.#options)
    if (!('baseOffset' in result)) throw new Error(result.error)
    this.sent.push({ base: result.baseOffset, values: [], producer, isTransactional: true, marker })
  }

  fork(offset: number): Life {
    const folder = `topics/${folders++}/0`
    const epoch = this.epoch + 1
    const { inherited } = forkLog(this.store, this.log, folder, { offset, leaderEpoch: epoch, now: 1000, outcomeOf })
    const child = new Life(this.store, inherited, folder, epoch)
    child.sent = this.#modelOf(offset)
    return child
  }

  /** What a child cut here must show. */
  #modelOf(offset: number): Sent[] {
    const below = this.sent
      .filter(({ base }) => base < offset)
      .map((sent) => ({ ...sent, values: sent.values.slice(0, offset - sent.base) }))
    const producers = [
      ...new Set(below.filter(({ isTransactional }) => isTransactional).map(({ producer }) => producer)),
    ]
    const isOpen = (id: number) => {
      const own = below.filter(({ producer }) => producer === id)
      return own.length > 0 && own.at(-1)!.marker === undefined
    }
    let at = offset
    const markers = producers
      .filter(isOpen)
      .sort((a, b) => a - b)
      .map((producer): Sent => {
        const known = this.sent.find((sent) => sent.base >= offset && sent.producer === producer && sent.marker)
        return { base: at++, values: [], producer, isTransactional: true, marker: known?.marker ?? 'ABORT' }
      })
    return [...below, ...markers]
  }

  /** Of what is deleted while it is open nobody knows afterwards that it was: a model of that would be another log. */
  get hasOpen(): boolean {
    return openFrom(this.sent) !== undefined
  }

  /** Where their records are gone, nobody can tell which of them an earlier offset cuts. */
  get hasDeletedTransactions(): boolean {
    return this.sent.some(({ base, isTransactional }) => isTransactional && base < this.log.logStartOffset)
  }

  get endOffset(): number {
    return this.sent.reduce((end, { base, values, marker }) => Math.max(end, base + (marker ? 1 : values.length)), 0)
  }

  /** A process that is killed leaves what was written; one that ends notes it. */
  async restart(clean: boolean): Promise<void> {
    // A process that is killed does nothing afterwards; what is on its way in this one comes to its end first.
    await this.log.flush()
    if (clean) await this.log.close()
    else this.log.release()
    this.log = new Log(this.store, this.folder, smallConfig, this.inherited)
  }

  check(): void {
    const { log } = this
    expect(log.logEndOffset).toBe(this.endOffset)
    const expected = committedOf(this.sent, stableOffset(log)).filter(([offset]) => offset >= log.logStartOffset)
    expect(readCommitted(log, 700)).toEqual(expected)
  }

  /** What `twiglog check` says of its files. */
  expectSound(): void {
    const { findings } = checkLog(this.store, this.folder, undefined, this.inherited)
    expect(findings.filter(({ kind }) => kind === 'damage')).toEqual([])
  }
}

function drawing(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

const rawOf = (log: Log, upTo: number): Buffer => {
  const pieces: Buffer[] = []
  for (let offset = log.logStartOffset; offset < upTo; ) {
    borrow(log.read(offset, 100_000, upTo, true), (bytes) => {
      pieces.push(Buffer.from(bytes))
      for (const at of batch.iterateBatches(bytes)) offset = batch.nextOffset(bytes, at)
    })
  }
  return Buffer.concat(pieces)
}

describe.each(places)('on a %s store', (_, make) => {
  test('a fork shows the same bytes, then each goes its own way at the same offset', () => {
    const place = make()
    const store = place.open()
    const parent = new Life(store)
    for (let i = 0; i < 30; i++) parent.write([`p${i}`, `q${i}`])
    const child = parent.fork(60)
    expect(rawOf(child.log, 60)).toEqual(rawOf(parent.log, 60))
    parent.write(['theirs'])
    child.write(['ours'])
    expect(readCommitted(parent.log).at(-1)).toEqual([60, 'theirs'])
    expect(readCommitted(child.log).at(-1)).toEqual([60, 'ours'])
    expect(child.log.epochs.entries).toEqual([
      [0, 0],
      [1, 60],
    ])
    place.remove()
  })

  test('a fresh fork has no folder of its own, and one of a fork links the same files', () => {
    const place = make()
    const store = place.open()
    const parent = new Life(store)
    for (let i = 0; i < 200; i++) parent.write([`value ${i}`])
    let child = parent
    for (let depth = 0; depth < 20; depth++) child = child.fork(child.log.logEndOffset)
    const isLog = (name: string) => name.endsWith('.log')
    const linked = store.list(parent.folder).filter(isLog)
    const beside = store.list(dirname(child.folder)).filter(isLog)
    expect(beside).toEqual(linked.map((name) => `0.${name}`))
    expect(store.list(child.folder)).toEqual([])
    expect(readCommitted(child.log)).toEqual(readCommitted(parent.log))
    place.remove()
  })

  test.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const)('a batch in %s is cut in two', (codec) => {
    const place = make()
    const parent = new Life(place.open())
    append(
      parent.log,
      Array.from({ length: 10 }, (_, i) => `a${i}`),
      { codec },
    )
    append(
      parent.log,
      Array.from({ length: 10 }, (_, i) => `b${i}`),
      { codec },
    )
    const { inherited } = forkLog(parent.store, parent.log, 'topics/half/0', {
      offset: 15,
      leaderEpoch: 1,
      now: 1,
      outcomeOf,
    })
    const child = new Log(parent.store, 'topics/half/0', smallConfig, inherited)
    expect(readCommitted(child).map(([, value]) => value)).toEqual([
      ...Array.from({ length: 10 }, (_, i) => `a${i}`),
      ...['b0', 'b1', 'b2', 'b3', 'b4'],
    ])
    append(child, ['own'])
    expect(readCommitted(child).at(-1)).toEqual([15, 'own'])
    expect(batch.crcMatches(rawOf(child, 15), 0)).toBe(true)
    place.remove()
  })

  test('an idempotent producer begins anew in a fork', async () => {
    const place = make()
    const parent = new Life(place.open())
    const sendTo = (life: Life, sequence: number) =>
      append(life.log, ['x'], { producer: { id: 9, epoch: 0, sequence } })
    for (let i = 0; i < 5; i++) sendTo(parent, i)
    const child = parent.fork(5)
    expect(sendTo(child, 0)).toMatchObject({ baseOffset: 5 })
    expect(sendTo(child, 1)).toMatchObject({ baseOffset: 6 })
    await child.restart(false)
    expect(sendTo(child, 2)).toMatchObject({ baseOffset: 7 })
    expect(sendTo(child, 2)).toMatchObject({ baseOffset: 7, duplicate: true })
    place.remove()
  })
})

describe('random lives', () => {
  // The faulty store forgets what is not flushed when a log is let go; its own tests play that.
  const living = places.filter(([name]) => name !== 'faulty')

  const seeds = Array.from({ length: 120 }, (_, i) => i + 1)
  test.each(seeds)(
    'seed %i: every log shows its own history, through forks of forks, deletions and restarts',
    async (seed) => {
      const [, make] = living[seed % living.length]!
      const place = make()
      const store = place.open()
      const draw = drawing(seed)
      const lives = [new Life(store)]
      const sequences = new Map<string, number>()
      for (let step = 0; step < 60; step++) {
        const life = lives[draw(lives.length)]!
        const choice = draw(100)
        if (choice < 40) life.write(Array.from({ length: 1 + draw(4) }, (_, i) => `${step}.${i}`))
        else if (choice < 60) {
          const producer = draw(3)
          const key = `${lives.indexOf(life)} ${producer}`
          const sequence = sequences.get(key) ?? 0
          const values = Array.from({ length: 1 + draw(3) }, (_, i) => `${step}.t${i}`)
          life.write(values, producer, sequence)
          sequences.set(key, sequence + values.length)
        } else if (choice < 72) life.end(draw(3), draw(2) === 0 ? 'COMMIT' : 'ABORT')
        else if (choice < 82 && lives.length < 8) {
          const { logStartOffset, logEndOffset } = life.log
          const anywhere = logStartOffset + draw(logEndOffset - logStartOffset + 1)
          const offset = draw(2) === 0 || life.hasDeletedTransactions ? logEndOffset : anywhere
          lives.push(life.fork(offset))
        } else if (choice < 87 && !life.hasOpen) life.log.deleteBelow(draw(life.log.logEndOffset + 1))
        else if (choice < 90) life.log.roll()
        else await life.restart(draw(2) === 0)
        lives.at(-1)!.check()
      }
      for (const life of lives) life.check()
      for (const life of lives) {
        await life.restart(draw(2) === 0)
        life.check()
        life.expectSound()
      }
      place.remove()
    },
  )
})
