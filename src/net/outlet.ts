// Where a connection's answers leave. Those of a turn of the event loop share a system call: 4 to 10 times cheaper with
// pipelining. Most turns bring one answer, and that goes to the socket as it is, past the queue that Node keeps for more.

import type { Socket } from 'node:net'

export class Outlet {
  readonly #socket: Socket
  #holds = false
  #isCorked = false
  /** The first part of a turn, and whom to tell when it has left. */
  #first: Buffer | undefined
  #firstDone: (() => void) | undefined

  constructor(socket: Socket) {
    this.#socket = socket
  }

  /** What is written now leaves with `leave`. */
  get holds(): boolean {
    return this.#holds
  }

  /** Bytes that the peer has not taken. A socket that is gone goes on saying what it had. */
  get byteCount(): number {
    return this.#socket.destroyed ? 0 : (this.#first?.length ?? 0) + this.#socket.writableLength
  }

  hold(): void {
    this.#holds = true
  }

  /** `done`: the part has left, or never will. */
  write(part: Buffer, done?: () => void): void {
    if (this.#holds && !this.#isCorked) {
      if (this.#first === undefined) {
        this.#first = part
        this.#firstDone = done
        return
      }
      this.#isCorked = true
      this.#socket.cork()
      this.#writeFirst()
    }
    this.#socket.write(part, done)
  }

  #writeFirst(): void {
    if (this.#first === undefined) return
    const [part, done] = [this.#first, this.#firstDone]
    this.#first = undefined
    this.#firstDone = undefined
    this.#socket.write(part, done)
  }

  leave(): void {
    this.#holds = false
    this.#writeFirst()
    if (!this.#isCorked) return
    this.#isCorked = false
    this.#socket.uncork()
  }

  /** The socket is closed. */
  close(): void {
    this.#firstDone?.()
    this.#first = undefined
    this.#firstDone = undefined
  }
}
