// Loaded into the broker of a soak, in front of it: at SIGUSR2 it gives back what is not needed, and says at once what is left. V8 lets
// garbage lie and malloc keeps what is freed, some more every minute until both have enough (100 MB beyond what was in use, after twenty
// minutes of mixed load); what grows below that is a leak. Asked for a moment later it would be blurred by new garbage, up to 40 MB of it.

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { getHeapCodeStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { isMainThread } from 'node:worker_threads'
import { type Settled, settledWord } from './settled.ts'

type Collect = (options: { type: 'major'; execution: 'sync'; flavor: 'last-resort' }) => void
type Koffi = { load(path: string | null): { func(signature: string): unknown } }

function trimming(): (pad: number) => void {
  try {
    const koffi = createRequire(import.meta.url)('koffi') as Koffi
    return koffi.load(null).func('int malloc_trim(size_t)') as (pad: number) => void
  } catch {
    return () => {} // another libc than glibc
  }
}

if (isMainThread) {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as Collect
  const trim = trimming()
  process.on('SIGUSR2', () => {
    collect({ type: 'major', execution: 'sync', flavor: 'last-resort' })
    trim(0)
    const { heapUsed, heapTotal, external } = process.memoryUsage()
    const anonymous = 1024 * Number(/^RssAnon:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1])
    const { code_and_metadata_size, bytecode_and_metadata_size } = getHeapCodeStatistics()
    const code = code_and_metadata_size + bytecode_and_metadata_size
    const settled: Settled = { code, heapUsed, heapTotal, external, anonymous }
    process.stdout.write(`${settledWord} ${JSON.stringify(settled)}\n`)
  })
}
