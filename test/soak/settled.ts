// What a broker of a soak says when it has settled: words between two processes.

/** Bytes that are held when what is not needed has been given back. */
export type Settled = {
  readonly heapUsed: number
  readonly heapTotal: number
  readonly external: number
  readonly anonymous: number
}
/** What a line begins with that tells them. */
export const settledWord = 'settled'
