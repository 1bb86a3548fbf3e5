// Memory that outlives a broker, that counts what is read of packs (what a question costs, told without a clock), and that holds a packer up.

import type { Lease } from '../../src/storage/file.ts'
import { MemoryStore } from '../../src/storage/memory-file.ts'

/** Keeps what it holds from one start to the next. */
export class OutlivingStore extends MemoryStore {
  override close(): void {}
}

export class CountingStore extends OutlivingStore {
  packBytesRead = 0

  override open(...of: Parameters<MemoryStore['open']>): ReturnType<MemoryStore['open']> {
    const file = super.open(...of)
    if (!of[0].endsWith('.pack')) return file
    const read = file.read.bind(file)
    file.read = (position: number, byteCount: number): Lease => {
      this.packBytesRead += byteCount
      return read(position, byteCount)
    }
    return file
  }

  /** Bytes read of packs meanwhile. */
  async readBy(work: () => Promise<unknown>): Promise<number> {
    const before = this.packBytesRead
    await work()
    return this.packBytesRead - before
  }
}

/** A packer waits where its file is to be flushed, where it is to get its name, and where it has it and the old ones are still there. */
export class HoldingStore extends MemoryStore {
  isHolding = false
  #held: { readonly step: string; readonly goOn: () => void } | undefined

  get heldAt(): string | undefined {
    return this.#held?.step
  }

  goOn(): void {
    const held = this.#held
    this.#held = undefined
    held?.goOn()
  }

  async #hold(step: string): Promise<void> {
    if (!this.isHolding) return
    await new Promise<void>((goOn) => {
      this.#held = { step, goOn }
    })
  }

  override open(...of: Parameters<MemoryStore['open']>): ReturnType<MemoryStore['open']> {
    const file = super.open(...of)
    if (of[0].endsWith('.pack.tmp')) file.flush = () => this.#hold('written')
    return file
  }

  override async syncFolder(folder: string): Promise<void> {
    const names = this.list(folder)
    if (names.some((name) => name.endsWith('.pack.tmp'))) await this.#hold('to be named')
    else if (names.some((name) => name.endsWith('.pack'))) await this.#hold('beside the old ones')
  }
}
