// What a broker of a soak says when it has settled: words between two processes.

/** Bytes that are held when what is not needed has been given back. */
export type Settled = {
  /** What V8 has compiled so far: it grows for as long as something is met for the first time, and no further. Part of the heap. */
  readonly code: number
  readonly heapUsed: number
  readonly heapTotal: number
  readonly external: number
  readonly anonymous: number
}
/** What a line begins with that tells them. */
export const settledWord = 'settled'
