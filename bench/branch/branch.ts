// What branches cost: their making, their reading, their merging, and what those who work meanwhile notice. Only twiglog has them, so the
// figures stand against aims of their own and against the same without branches.
import { type Bench, type Journey, warmUp, withPeers } from '../journey.ts'
import type { Peer, RunningPeer } from '../peers.ts'
import { whileProducing } from './busy.ts'
import { byDepth } from './depth.ts'
import { gateOfMerge } from './gate.ts'
import { manyTopics } from './many.ts'
import { mergeByKeys } from './merge.ts'
import { forkBySize } from './size.ts'

interface Part {
  readonly name: string
  readonly summary: string
  run(bench: Bench, peers: readonly RunningPeer[]): Promise<void>
}

const parts: readonly Part[] = [
  { name: 'branch-many', summary: 'a fork of 1,000 topics x 3 partitions at one cut', run: manyTopics },
  { name: 'branch-depth', summary: 'forks and fetches 1, 20 and 64 branches deep', run: byDepth },
  { name: 'branch-busy', summary: 'acknowledgements while a topic is forked 100 times a second', run: whileProducing },
  { name: 'branch-merge', summary: 'plans and merges by changed keys and by size of the topic', run: mergeByKeys },
  { name: 'branch-gate', summary: 'a merge of 1,000,000 keys while producing', run: gateOfMerge },
  // Last, for it leaves the page cache full.
  { name: 'branch-size', summary: 'forks of a topic of 0.1, 1 and 10 GB, in ms and bytes', run: forkBySize },
]

const hasBranches = ({ name }: Peer) => name !== 'kafka'

const journeyOf = (name: string, summary: string, chosen: readonly Part[]): Journey => ({
  name,
  summary,
  run: (bench) => {
    const peers = bench.peers.filter(hasBranches)
    return withPeers({ ...bench, peers }, async (running) => {
      await warmUp(bench, running)
      for (const part of chosen) {
        process.stderr.write(`  ${part.name}: ${part.summary}\n`)
        await part.run(bench, running).catch((problem: Error) => {
          bench.print({ journey: name, part: part.name, problem: problem.message })
        })
      }
    })
  },
})

export const branch = journeyOf('branch', 'what branches cost: the parts below, one after another', parts)
export const branchParts = parts.map((part) => journeyOf(part.name, part.summary, [part]))
