// V8 has threads of its own, which collect garbage and compile, for milliseconds on end and as urgent as the event loop: on few
// cores an acknowledgement waits behind them. Nobody waits for what they do, so they give way; in a process that is ours alone.

import { readdirSync, readFileSync } from 'node:fs'
import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import { giveWay } from './revision/giving-way.ts'

const niceness = 10
const tasks = '/proc/self/task'
/** How many there are unless somebody says otherwise (`--v8-pool-size`). */
const poolSize = 4

/** Answers how many give way. Whoever cannot have it works as before. */
export function haveV8GiveWay(): number {
  return threadsOfV8().filter((thread) => giveWay(niceness, thread) !== 'never').length
}

/** Parts of a collection that stop the event loop until all who have a share in them are done. */
const awaited = ['scavenge', 'compaction', 'pointer-update']

/**
 * Has the event loop do alone what it would wait for otherwise: whoever gives way and is put off in the middle of his share holds
 * it up until he has a core again. There is little to do: what young values are left, of a small heap. What goes on beside the event
 * loop still does.
 */
export function collectAlone(): void {
  for (const part of awaited) setFlagsFromString(`--no-parallel-${part}`)
}

/** What may lie about before all of the heap is marked, bytes. */
const roomBytes = 64 * 1024 * 1024
const roomLookMs = 1000

/**
 * How far a heap may grow until it is marked again, percent of what was used; 0: as V8 has it. Of a small heap that is a few
 * megabytes, so with many forks a second every other one was marked: turns of 10 to 30 ms that its steps were spread over.
 */
export function growingPercent(usedBytes: number): number {
  const percent = Math.floor((100 * roomBytes) / usedBytes)
  return percent >= 100 ? percent : 0
}

const grow = (percent: number): void => setFlagsFromString(`--heap-growing-percent=${percent}`)

/** Has V8 mark a small heap seldom; a large one as often as before. As long as the process runs. */
export function collectSeldom(): void {
  let told = 0
  const tell = () => {
    const percent = growingPercent(getHeapStatistics().used_heap_size)
    if (percent === told) return
    grow(percent)
    told = percent
  }
  tell()
  setInterval(tell, roomLookMs).unref()
}

/** Puts V8's own judgement back: code that it compiles is taken by no V8 whose flags are others. */
export function collectAsEver(): void {
  grow(0)
}

/** Linux's numbers of them. */
export function threadsOfV8(): number[] {
  try {
    const threads = readdirSync(tasks)
      .map(Number)
      .sort((a, b) => a - b)
    const names = threads.map((thread) => readFileSync(`${tasks}/${thread}/comm`, 'latin1').trim())
    if (new Set(names.slice(0, 2)).size > 1) return threads.filter((_, i) => names[i]!.endsWith('V8Worker'))
    // Before Node 24 threads bear no names. They are the first that a process makes, behind the one that keeps their time.
    const isOfAnotherSize = [...process.execArgv, process.env['NODE_OPTIONS'] ?? ''].some((said) =>
      /pool-size/.test(said),
    )
    return isOfAnotherSize ? [] : threads.slice(2, 2 + poolSize)
  } catch {
    return [] // no Linux, or one without /proc
  }
}
