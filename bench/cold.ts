// Catching up: a consumer reads 2 GB that nobody has in memory while the tail of another topic is produced and read at a steady rate.
// Brokers are stopped while their files leave the page cache, for what a process has mapped would stay.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { compile, run } from './clients.ts'
import { inTurn, type Journey, newTopic, settle, withPeers, withTopic } from './journey.ts'
import { addPercentiles } from './latency.ts'
import { startAgain } from './peers.ts'

const rate = 1000
const seconds = 10

export const cold: Journey = {
  name: 'cold',
  summary: '2 GB of cold data is read while the tail is produced at 1,000 msg/s: its rate, and latency of the tail',
  run: async (bench) => {
    const client = bench.clients.application
    const evict = await compile('evict')
    if (client.name !== 'librdkafka' || !evict)
      return bench.print({ journey: 'cold', problem: 'left out: it needs librdkafka and a C compiler' })
    await withPeers(bench, async (peers) => {
      const messages = bench.count(2_000_000)
      const topics = new Map<(typeof peers)[number], string>()
      for (const peer of peers) {
        const topic = await newTopic(peer, 1)
        await run(client, 'produce', { topic, messages }, peer)
        topics.set(peer, topic)
        await peer.pause()
      }
      await settle()
      await inTurn(bench, 'catching up', peers, async (kept, round) => {
        const { stdout } = await promisify(execFile)(evict, ['drop', '--folder', kept.dataFolder])
        const { bytes, cached } = JSON.parse(stdout)
        if (cached > bytes / 10)
          bench.print({ figure: 'catching up', note: `${cached} of ${bytes} bytes stayed cached` })
        const peer = await startAgain(kept)
        try {
          const tail = (topic: string) =>
            run(client, 'latency', { topic, rate, messages: bench.count(seconds * rate), linger: 0 }, peer)
          await withTopic(peer, 1, (topic) => tail(topic)) // warm, with nothing cold read
          await withTopic(peer, 1, async (topic) => {
            const reading = run(client, 'consume', { topic: topics.get(kept)!, messages }, peer)
            const [measured, read] = await Promise.all([tail(topic), reading])
            addPercentiles(bench, peer, round, 'of the tail while cold data is read', measured)
            const figure = { name: 'cold data while the tail is produced', unit: 'msg/s' }
            bench.table.add(peer.peer, round, client.name, figure, read.rate, read.usage)
          })
        } finally {
          await peer.pause()
        }
      })
    })
  },
}
