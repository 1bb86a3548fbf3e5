// The machine that a simulated broker runs on: a disk that is slow, full or torn as chance has it, and one process at a time,
// which is killed at any operation on a file, loses its power, or stops in order.

import { checkStore } from '../../src/cli/check.ts'
import { Broker, type BrokerOptions } from '../../src/embedded.ts'
import { FaultyStore } from '../../src/storage/faulty-file.ts'
import type { Loop } from './loop.ts'
import type { Network } from './network.ts'

export const port = 9092

/** How the disk is just now. */
export type Condition = {
  /** A flush takes so long at most. */
  flushMs: number
  isFull: boolean
  /** Some of what is asked of it fails. */
  isBroken: boolean
  /** Much of what has to be opened cannot be. */
  isShort: boolean
}

export const sound: Condition = { flushMs: 2, isFull: false, isBroken: false, isShort: false }
/** What opens something, if only now and then. */
const openingFor: ReadonlySet<string> = new Set(['create', 'read', 'flush', 'sync', 'save'])
const brokenFor: ReadonlySet<string> = new Set(['read', 'stage', 'flush', 'sync', 'save'])

type Process = { isAlive: boolean; broker: Broker | undefined; died: Promise<void>; die: () => void }
type Config = NonNullable<BrokerOptions['config']>

export class Machine {
  condition = sound
  kills = 0
  powerCuts = 0
  /** Called whenever a process is over. */
  onEnd: () => void = () => {}
  onPowerCut: () => void = () => {}
  readonly #loop: Loop
  readonly #network: Network
  readonly #config: Config
  readonly #chance: () => number
  readonly #note: (what: string) => void
  readonly #wrong: (what: string) => void
  #store = new FaultyStore()
  #process: Process | undefined
  /** After so many more operations on files the process dies. */
  #dieIn: number | undefined

  constructor(
    world: { loop: Loop; network: Network; chance: () => number; config: Config },
    note: (what: string) => void,
    wrong: (what: string) => void,
  ) {
    this.#loop = world.loop
    this.#network = world.network
    this.#chance = world.chance
    this.#config = world.config
    this.#note = note
    this.#wrong = wrong
    this.#attach()
  }

  #attach(): void {
    const store = this.#store
    store.close = () => {} // the disk outlives the process
    store.slowness = (operation) =>
      this.#loop.pause(this.condition.flushMs * this.#chance() * (operation === 'flush' ? 1 : 0.5))
    store.fault = (operation, path) => {
      if (store !== this.#store) return undefined // of a process that is dead
      this.#note(`${operation} ${path}`)
      if (this.#dieIn !== undefined && operation !== 'read' && this.#dieIn-- <= 0) this.kill()
      if (this.condition.isFull && (operation === 'stage' || operation === 'create' || operation === 'save'))
        return 'ENOSPC'
      if (this.condition.isShort && openingFor.has(operation) && this.#chance() < 0.4) return 'EMFILE'
      return this.condition.isBroken && brokenFor.has(operation) && this.#chance() < 0.2 ? 'EIO' : undefined
    }
  }

  get isUp(): boolean {
    return this.#process?.broker !== undefined
  }

  get isRunning(): boolean {
    return this.#process !== undefined
  }

  /** Resolves when it serves, or has died before. */
  async start(): Promise<void> {
    if (this.#process !== undefined) return
    let die = () => {}
    const died = new Promise<void>((resolve) => {
      die = resolve
    })
    const process: Process = { isAlive: true, broker: undefined, died, die }
    this.#process = process
    const isAlive = () => process.isAlive
    const world = { clock: this.#loop.clockOf(isAlive), createServer: this.#network.serverOf(isAlive) }
    const starting = Broker.start({ storage: this.#store, port, config: this.#config }, world).then(
      (broker) => {
        if (process.isAlive) process.broker = broker
      },
      (cause: unknown) => {
        if (!process.isAlive) return
        this.#process = undefined
        process.isAlive = false
        this.#network.die()
        if (!this.condition.isFull) this.#wrong(`a start failed: ${(cause as Error).stack}`)
      },
    )
    await Promise.race([starting, died])
  }

  /** In order, unless it is killed meanwhile. */
  async stop(): Promise<void> {
    const process = this.#process
    if (process?.broker === undefined) return
    const stopping = process.broker.stop().catch((cause: unknown) => {
      if (process.isAlive && !this.condition.isFull) this.#wrong(`a stop failed: ${(cause as Error).stack}`)
    })
    await Promise.race([stopping, process.died])
    if (!process.isAlive) return
    this.#end(process)
    this.#found(this.#store.after('kill'))
  }

  /** As kill -9: what was committed is there, and of what lay above it some. */
  kill(): void {
    const process = this.#process
    this.#dieIn = undefined
    if (process === undefined) return
    this.kills++
    const torn = this.#chance() < 0.5 ? Math.floor(this.#chance() * 400) : 0
    const ahead = this.#chance() < 0.3 ? Math.floor(this.#chance() * 5000) : 0
    const left = this.#store.after('kill', torn, undefined, ahead)
    this.#end(process)
    this.#found(left)
  }

  killIn(operations: number): void {
    if (this.#process !== undefined) this.#dieIn = operations
  }

  /** Whatever was to kill it does not. */
  spare(): void {
    this.#dieIn = undefined
  }

  /** The machine goes down: what was flushed is there, and of the rest what luck keeps. */
  cutPower(kept: number): void {
    if (this.#process !== undefined) this.#end(this.#process)
    this.powerCuts++
    this.onPowerCut()
    this.#found(this.#store.after('power cut', 0, () => this.#chance() < kept))
  }

  #end(process: Process): void {
    process.isAlive = false
    this.#process = undefined
    this.#dieIn = undefined
    this.#network.die()
    process.die()
    this.onEnd()
  }

  #found(left: FaultyStore): void {
    this.#store = left
    const { findings } = checkStore(left)
    for (const { kind, file, message } of findings) {
      if (kind === 'damage') this.#wrong(`what was left is damaged: ${file}: ${message}`)
    }
    this.#attach()
  }
}
