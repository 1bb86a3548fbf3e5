// When a request of a connection is begun. A real broker begins each when the one before is answered, and clients that send on
// without waiting rely on it: who commits an offset and asks for it in the same breath is told what it has committed. Here
// records are taken while those before them are flushed, for their order is that of their coming; and nobody has to wait
// behind a request that waits for others.

import { produce } from '../../protocol/messages/00-produce.ts'
import type { Reader } from '../../protocol/reader.ts'
import type { Frames } from './frames.ts'
import { patient } from './request-times.ts'

export class Order {
  /** Of the frame that `next` gave. */
  apiKey = 0
  #held: Reader | undefined
  /** Requests on their way that all others wait for. */
  #others = 0
  #produces = 0

  /** A frame is here that may not be taken yet. */
  get isHolding(): boolean {
    return this.#held !== undefined
  }

  /** The next frame behind its key; undefined where there is none, or none that may be taken. */
  next(frames: Frames): Reader | undefined {
    const frame = this.#held ?? frames.next()
    if (frame === undefined) return undefined
    if (this.#held === undefined) this.apiKey = frame.int16()
    if (this.#mustWait) {
      // Its bytes will be overwritten.
      this.#held ??= frame.detached()
      return undefined
    }
    this.#held = undefined
    return frame
  }

  get #mustWait(): boolean {
    return this.#others > 0 || (this.#produces > 0 && this.apiKey !== produce.key)
  }

  /** A request is not answered at once. */
  begun(apiKey: number): void {
    this.#count(apiKey, 1)
  }

  ended(apiKey: number): void {
    this.#count(apiKey, -1)
  }

  #count(apiKey: number, by: number): void {
    if (apiKey === produce.key) this.#produces += by
    else if (!patient.includes(apiKey)) this.#others += by
  }
}
