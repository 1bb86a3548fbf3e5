// Journeys of parts that only twiglog can travel: one after another on the same brokers, or one alone.
import { type Bench, type Journey, warmUp, withPeers } from './journey.ts'
import type { RunningPeer } from './peers.ts'

export interface Part {
  readonly name: string
  readonly summary: string
  run(bench: Bench, peers: readonly RunningPeer[]): Promise<void>
}

export const journeyOf = (name: string, summary: string, parts: readonly Part[]): Journey => ({
  name,
  summary,
  run: (bench) => {
    const peers = bench.peers.filter((peer) => peer.name !== 'kafka')
    return withPeers({ ...bench, peers }, async (running) => {
      await warmUp(bench, running)
      for (const part of parts) {
        process.stderr.write(`  ${part.name}: ${part.summary}\n`)
        await part.run(bench, running).catch((problem: Error) => {
          bench.print({ journey: name, part: part.name, problem: problem.message })
        })
      }
    })
  },
})
