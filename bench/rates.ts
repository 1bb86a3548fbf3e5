// What changes a rate, one thing at a time from 1 KB in one partition with acks 1: how large a value is, how it is packed, what the
// broker promises, and how many produce at once. What was written is read back each time.
import type { ClientArgs } from './clients.ts'
import { inTurn, type Journey, measureRate, warmUp, withPeers, withTopic } from './journey.ts'

interface Cell {
  readonly name: string
  readonly messages: number
  readonly partitions?: number
  readonly args: ClientArgs
  /** Not worth another reading where only the producer's side differs. */
  readonly isReadBack?: boolean
}

const perTransaction = [100, 1000]

const sizes: readonly Cell[] = [
  { name: '100 KB', messages: 20_000, args: { bytes: 100_000 }, isReadBack: true },
  { name: '1 MB', messages: 2000, args: { bytes: 1_000_000 }, isReadBack: true },
]
// Text, for the letters of the other cells would be packed a thousand to one.
const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'].map(
  (codec): Cell => ({
    name: `1 KB of text, ${codec}`,
    messages: codec === 'gzip' ? 200_000 : 500_000,
    args: { codec, values: 'text' },
    isReadBack: true,
  }),
)
const promises: readonly Cell[] = [
  { name: '1 KB, acks 0', messages: 1_000_000, args: { acks: '0' } },
  { name: '1 KB, acks 1', messages: 1_000_000, args: { acks: '1' } },
  { name: '1 KB, acks all', messages: 1_000_000, args: { acks: 'all' } },
  { name: '1 KB, idempotent', messages: 1_000_000, args: { acks: 'all', idempotent: 1 } },
  ...perTransaction.map((transaction) => ({
    name: `1 KB, transactions of ${transaction}`,
    messages: 200 * transaction,
    args: { acks: 'all', transaction },
    isReadBack: true,
  })),
]
const crowds = [1, 10, 100].map(
  (producers): Cell => ({
    name: `1 KB, ${producers} producer${producers > 1 ? 's' : ''}, 6 partitions`,
    messages: 1_000_000,
    partitions: 6,
    args: { producers },
  }),
)

const journeyOf = (name: string, summary: string, cells: readonly Cell[]): Journey => ({
  name,
  summary,
  run: (bench) =>
    withPeers(bench, async (peers) => {
      const client = bench.clients.application
      if (client.name !== 'librdkafka') return bench.print({ journey: name, problem: 'left out: it needs librdkafka' })
      await warmUp(bench, peers)
      for (const cell of cells) {
        const { partitions = 1 } = cell
        await inTurn(bench, cell.name, peers, (peer, round) =>
          withTopic(peer, partitions, async (topic) => {
            const args = { topic, partitions, messages: bench.count(cell.messages), ...cell.args }
            const measure = (mode: string) =>
              measureRate(bench, peer, round, {
                figure: { name: `${mode} ${cell.name}`, unit: 'msg/s' },
                client,
                mode,
                args,
              })
            const produced = await measure('produce')
            for (const point of produced.reports('commit_ms_p50') ? ['p50', 'p99'] : []) {
              const figure = { name: `commit ${point}, ${cell.name}`, unit: 'ms' }
              bench.table.add(
                peer.peer,
                round,
                client.name,
                figure,
                produced.value(`commit_ms_${point}`),
                produced.usage,
              )
            }
            if (cell.isReadBack) await measure('consume')
          }),
        )
      }
    }),
})

export const rates: readonly Journey[] = [
  journeyOf('sizes', 'records of 100 KB and 1 MB, produce and consume', sizes),
  journeyOf('codecs', 'each codec on text of 1 KB, produce and consume', codecs),
  journeyOf('promises', 'acks 0, 1 and all, idempotent, transactions of 100 and 1,000', promises),
  journeyOf('crowds', '1, 10 and 100 producers at once', crowds),
]
