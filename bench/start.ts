// How long one waits for a broker: from exec to the first answered Metadata. Formatting the storage is not counted.
// The first start of each peer is thrown away, so that program files come from memory for both.
import { inTurn, type Journey } from './journey.ts'
import { processCpuS } from './meter.ts'
import { start as startPeer } from './peers.ts'

export const start: Journey = {
  name: 'start',
  summary: 'exec to first answered Metadata',
  async run(bench) {
    for (const peer of bench.peers) await (await startPeer(peer)).stop()
    await inTurn(bench, 'start to first Metadata', bench.peers, async (peer, round) => {
      const running = await startPeer(peer)
      const cpuS = processCpuS(running.pid)
      await running.stop()
      const figure = { name: 'start to first Metadata', unit: 'ms', goal: { most: 0.05 } }
      bench.table.add(peer, round, 'script', figure, running.readyMs)
      if (cpuS !== undefined) bench.table.add(peer, round, 'script', { name: 'CPU to start', unit: 's' }, cpuS)
    })
  },
}
