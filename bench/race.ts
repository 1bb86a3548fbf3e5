// The whole race, in an order and a file of its own. It takes hours, so it goes on where it was stopped: a journey whose lines are all
// there is not run again, and one that was cut off, or in which something failed, is run anew.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { bare } from './bare.ts'
import { cold } from './cold.ts'
import type { Line } from './compare.ts'
import { connections } from './connections.ts'
import { consume } from './consume.ts'
import { cross } from './cross.ts'
import { grow } from './grow.ts'
import type { Journey } from './journey.ts'
import { latency } from './latency.ts'
import { memory } from './memory.ts'
import { partitions } from './partitions.ts'
import { produce } from './produce.ts'
import { rates } from './rates.ts'
import { restart } from './restart.ts'
import { seed } from './seed.ts'
import { small } from './small.ts'
import { start } from './start.ts'
import { stream } from './stream.ts'
import { topics } from './topics.ts'

/** What the issue of speed asks for, goals first: whoever stops it early has them. */
export const race: readonly Journey[] = [
  ...[start, produce, consume, stream, small, latency, connections, topics, memory, restart, cross, bare],
  ...[seed, ...rates, cold, partitions, grow],
]

/** The lines of a file as they were printed. */
export function linesOf(path: string): Line[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .flatMap((text) => {
      try {
        return text ? [JSON.parse(text)] : []
      } catch {
        return [] // cut off while it was written
      }
    })
}

/** The journeys that are whole in this file; whatever else it holds is taken out of it. A run under other conditions is no beginning of this one. */
export function finishedIn(path: string, header: Line): ReadonlySet<string> {
  if (!existsSync(path)) return new Set()
  const lines = linesOf(path)
  const [before] = lines
  for (const name of ['peers', 'clients', 'rounds', 'scale', 'machine']) {
    const [there, here] = [before?.[name], header[name]].map((value) => JSON.stringify(value))
    if (there !== here)
      throw new Error(`${path} was begun with ${name} ${there}, this is ${here}: give another --json FILE`)
  }
  const done = new Set(lines.flatMap(({ done, journey }) => (done === true ? [`${journey}`] : [])))
  const kept = lines.filter((line, i) => i === 0 || done.has(`${line['journey']}`))
  writeFileSync(path, kept.map((line) => `${JSON.stringify(line)}\n`).join(''))
  return done
}
