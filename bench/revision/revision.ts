// What revisions cost those who write and read meanwhile, and who starts again: only twiglog has them, so the figures stand against
// aims of their own. What packs take and how fast single revisions are read is measured in one process, by pack.ts.
import { type Bench, type Journey, warmUp, withPeers } from '../journey.ts'
import type { Peer, RunningPeer } from '../peers.ts'
import { whilePacking } from './busy.ts'
import { manyKeys } from './keys.ts'

interface Part {
  readonly name: string
  readonly summary: string
  run(bench: Bench, peers: readonly RunningPeer[]): Promise<void>
}

const parts: readonly Part[] = [
  {
    name: 'revision-busy',
    summary: 'acknowledgements while a topic is packed, and how fast that is',
    run: whilePacking,
  },
  { name: 'revision-keys', summary: 'one key of 1,000,000, and a start with them', run: manyKeys },
]

const hasRevisions = ({ name }: Peer) => name !== 'kafka'

const journeyOf = (name: string, summary: string, chosen: readonly Part[]): Journey => ({
  name,
  summary,
  run: (bench) => {
    const peers = bench.peers.filter(hasRevisions)
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

export const revision = journeyOf('revision', 'what revisions cost: the parts below, one after another', parts)
export const revisionParts = parts.map((part) => journeyOf(part.name, part.summary, [part]))
