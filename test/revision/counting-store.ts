// Memory that outlives a broker, and counts what is read of packs: what a question costs, told without a clock.

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
