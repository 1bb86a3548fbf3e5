// Feeds one decoder with bytes that are nearly right, and keeps those that it answered in a way not seen before: they are
// what the next ones are made from. What may come out is said by the target; everything else is a fault.

import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Corruption, ProtocolViolation } from '../../protocol/errors.ts'
import { type Draw, drawing, mutate } from './mutate.ts'

// biome-ignore lint/suspicious/noExplicitAny: errors are made from anything
type Kind = new (...args: any[]) => Error

export type Target = {
  readonly name: string
  /** Good bytes to begin with. */
  readonly seeds: () => Buffer[]
  /** Throws where the bytes are refused; what it returns tells different kinds of good ones apart. */
  readonly run: (bytes: Buffer) => string
  /** What may be thrown beside ProtocolViolation and Corruption. */
  readonly refusals?: readonly Kind[]
  /** Puts a checksum right, so that what lies behind it is reached. */
  readonly mend?: (bytes: Buffer) => Buffer
  readonly bytesMax?: number
  /** How many of a round's inputs it gets: a decoder that takes long gets fewer. */
  readonly weight?: number
}

export type Fault = { readonly target: string; readonly cause: unknown; readonly bytes: Buffer }

/** Kept in memory for a target; more would only repeat each other. */
const keptMax = 500
export class Fuzzing {
  readonly target: Target
  readonly #draw: Draw
  readonly #kept: Buffer[]
  readonly #signatures = new Set<string>()
  /** Inputs whose outcome nobody had seen before, since the start. */
  readonly found: Buffer[] = []
  inputs = 0
  slowest = 0
  /** Told of each input before it is played: who watches knows where it hangs. */
  onInput: ((bytes: Buffer) => void) | undefined

  constructor(target: Target, seed: number, corpus: readonly Buffer[]) {
    this.target = target
    this.#draw = drawing(seed)
    this.#kept = [...target.seeds(), ...corpus]
    if (this.#kept.length === 0) this.#kept.push(Buffer.alloc(0))
  }

  /** Good bytes and those of the corpus, as they are. */
  replay(): Fault | undefined {
    for (const bytes of [...this.#kept]) {
      const fault = this.#play(bytes)
      if (fault !== undefined) return fault
    }
    this.found.length = 0
    return undefined
  }

  /** So many inputs more; the first fault ends it. */
  run(count: number): Fault | undefined {
    const { mend, bytesMax = 4096 } = this.target
    const draw = this.#draw
    for (let i = 0; i < count; i++) {
      const [one, other] = [this.#kept[draw(this.#kept.length)]!, this.#kept[draw(this.#kept.length)]!]
      const changed = mutate(one, other, draw, Math.max(bytesMax, one.length))
      const fault = this.#play(mend !== undefined && draw(4) > 0 ? mend(changed) : changed)
      if (fault !== undefined) return fault
    }
    return undefined
  }

  #play(bytes: Buffer): Fault | undefined {
    this.inputs++
    this.onInput?.(bytes)
    const before = performance.now()
    let signature: string
    try {
      signature = this.target.run(bytes)
    } catch (cause) {
      const allowed = [ProtocolViolation, Corruption, ...(this.target.refusals ?? [])]
      if (!allowed.some((kind) => cause instanceof kind)) return { target: this.target.name, cause, bytes }
      const { name } = (cause as Error).constructor
      signature = `${name} ${(cause as Error).message.replace(/\d+/g, '#').slice(0, 120)}`
    }
    this.slowest = Math.max(this.slowest, performance.now() - before)
    if (!this.#signatures.has(signature) && this.#signatures.size < keptMax) {
      this.#signatures.add(signature)
      const copy = Buffer.from(bytes)
      this.#kept.push(copy)
      this.found.push(copy)
    }
    return undefined
  }
}

const nameOf = (bytes: Buffer): string => `${createHash('sha1').update(bytes).digest('hex').slice(0, 12)}.bin`

/** What was kept of earlier runs, most of it the story of a fault. */
export function corpusOf(folder: string, target: string): Buffer[] {
  const path = join(folder, target)
  if (!existsSync(path)) return []
  return readdirSync(path)
    .filter((name) => name.endsWith('.bin'))
    .sort()
    .map((name) => readFileSync(join(path, name)))
}

export function keep(folder: string, target: string, bytes: Buffer): string {
  const path = join(folder, target)
  mkdirSync(path, { recursive: true })
  writeFileSync(join(path, nameOf(bytes)), bytes)
  return join(path, nameOf(bytes))
}
