// Two threads that pack and unpack zstd at the same time, each its own bytes: a program of its own, for where this goes wrong the process
// ends. Prints how often what was unpacked was something else.

import { randomBytes } from 'node:crypto'
import { isMainThread, Worker } from 'node:worker_threads'
import { compressZstd, uncompressZstd } from '../../protocol/records/zstd.ts'

const rounds = 1500

if (isMainThread) for (let i = 0; i < 2; i++) new Worker(new URL(import.meta.url))
let wrong = 0
for (let round = 0; round < rounds; round++) {
  const bytes = Buffer.from(`${randomBytes(1000).toString('hex')} ${round} `.repeat(8))
  try {
    if (!uncompressZstd(compressZstd(bytes, 3), 1 << 20).equals(bytes)) wrong++
  } catch {
    wrong++
  }
  // Threads begin one after the other.
  if (round % 100 === 0) await new Promise((resolve) => setImmediate(resolve))
}
console.log(`${wrong} wrong`)
