// Numbers by which producers are known: given out from blocks, so that one metadata record serves a thousand producers.

import type { MetadataLog } from './metadata-log.ts'

const blockLength = 1000

export class ProducerIds {
  readonly #metadata: MetadataLog
  #next: number
  #end: number

  constructor(metadata: MetadataLog) {
    this.#metadata = metadata
    this.#end = this.#next = metadata.state.nextProducerId
  }

  /** One that was never given out, and never will be again. Rejects with StorageError. */
  async take(): Promise<number> {
    while (this.#next >= this.#end) {
      const next = this.#metadata.state.nextProducerId + blockLength
      await this.#metadata.commit([{ v: 1, type: 'producer-ids', next }])
      if (this.#next < this.#end) break
      this.#next = next - blockLength
      this.#end = next
    }
    return this.#next++
  }
}
