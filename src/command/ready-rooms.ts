// Folders for branches that are made ahead while somebody forks again and again: to make one and to have its name on stable
// storage costs a fork more than its links. Of what is left of them at a stop nothing stays, at a kill the next start sees to it.

import type { Broker } from '../broker/broker.ts'
import { forkedFolder, topicsFolder } from '../broker/topic-folders.ts'
import { randomId } from '../storage/clock.ts'

/** Where a branch is put together. */
export type Room = {
  readonly id: string
  /** Its folder is there, and stable storage knows of it. */
  readonly isReady: boolean
}

/** So many forks within a second are many. */
const manyForks = 16
const secondMs = 1000
const madeAtOnce = 16
/** Fewer than this are left: more are made. */
const low = 10
/**
 * Others have their turn in between. Whoever makes a folder holds the one around it, also against the event loop: several threads that
 * make some at once held up forks, and everybody behind them, for milliseconds.
 */
const betweenMs = 2

export class ReadyRooms {
  readonly #broker: Broker
  readonly #ready: string[] = []
  #making: Promise<void> | undefined
  #since = 0
  #forks = 0
  #isOver = false
  #goOn = () => {}

  constructor(broker: Broker) {
    this.#broker = broker
  }

  /** Somebody forks, however many topics at once. */
  asked(): void {
    const now = this.#broker.clock.now()
    const sinceMs = now - this.#since
    if (sinceMs > secondMs) {
      // Whoever forked as often a second ago goes on to.
      this.#forks = sinceMs < 2 * secondMs && this.#forks >= manyForks ? manyForks : 0
      this.#since = now
    }
    this.#forks++
    if (this.#forks >= manyForks && this.#ready.length < low && !this.#isOver) this.#making ??= this.#make()
  }

  /** Undefined where none is ready. */
  take(): Room | undefined {
    const id = this.#ready.pop()
    return id === undefined ? undefined : { id, isReady: true }
  }

  /** Never rejects: whoever finds none makes his own, and is told what stands against it. */
  async #make(): Promise<void> {
    const { store, clock } = this.#broker
    const ids = Array.from({ length: madeAtOnce }, () => randomId(clock))
    try {
      for (const id of ids) {
        await store.makeFolders([forkedFolder(id)], true)
        if (!this.#isOver) await this.#rest()
      }
      await store.syncFolder(topicsFolder)
      this.#ready.push(...ids)
    } catch {
      this.#remove(ids)
    }
    this.#making = undefined
  }

  #rest(): Promise<void> {
    return new Promise((resolve) => {
      this.#goOn = resolve
      this.#broker.clock.after(betweenMs, resolve)
    })
  }

  /** None is left when it resolves, and none comes. */
  async stop(): Promise<void> {
    this.#isOver = true
    this.#goOn() // a clock's timers keep no process alive
    await this.#making
    this.#remove(this.#ready.splice(0))
  }

  #remove(ids: readonly string[]): void {
    try {
      for (const id of ids) this.#broker.store.removeFolder(forkedFolder(id))
    } catch (cause) {
      console.error(`Folders made for branches could not be removed: ${String(cause)}`)
    }
  }
}
