// What producers of the target notice of a large merge: how long they are held back while it is written, and how long their
// messages wait for an acknowledgement meanwhile, against without.
import { run } from '../clients.ts'
import { type Bench, inTurn, newTopic, settle } from '../journey.ts'
import type { RunningPeer } from '../peers.ts'
import { forker } from './admin.ts'
import { commander } from './commands.ts'
import { writeKeys } from './keys.ts'

const changedKeys = 1_000_000
const valueBytes = 100
const rate = 1000
const mebibyte = 2 ** 20

export async function gateOfMerge(bench: Bench, peers: readonly RunningPeer[]): Promise<void> {
  const client = bench.clients.application
  const changed = bench.count(changedKeys)
  await inTurn(bench, `merge of ${changed} keys while producing`, peers, async (peer, round) => {
    await using admin = await forker(peer)
    await using commands = await commander(admin.kafka)
    const into = await newTopic(peer, 1)
    const from = `${into}--merged`
    await admin.fork([{ from: into, to: from }])
    await writeKeys(admin.kafka.producer(), from, { count: changed, partitions: 1, value: 'x'.repeat(valueBytes) })
    await settle()
    const add = (name: string, unit: string, value: number, aim: object = {}) =>
      bench.table.add(peer.peer, round, client.name, { name, unit, ...aim }, value)
    const args = { topic: into, rate, messages: bench.count(10 * rate), linger: 0, acks: 1 }
    const without = await run(client, 'latency', args, peer)
    const measuring = run(client, 'latency', args, peer)
    const merge = await commands.run({ op: 'merge', from, into, strategy: 'three-way' })
    const during = await measuring
    for (const point of ['p50', 'p99', 'p999']) {
      add(`ack ${point} without a merge`, 'ms', without.value(`ack_ms_${point}`))
      add(`ack ${point} with a merge of ${changed} keys`, 'ms', during.value(`ack_ms_${point}`))
    }
    add(`merge of ${changed} keys while producing`, 'ms', merge.ms)
    const most = Math.round(50 + (5 * changed * valueBytes) / mebibyte)
    add(`producers held back by it`, 'ms', merge.event.gateMs ?? 0, { aim: { most } })
    await admin.drop([from])
  })
}
