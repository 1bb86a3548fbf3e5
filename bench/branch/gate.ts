// What producers of the target notice of a large merge: how long they are held back while it is written, and how long their
// messages wait for an acknowledgement meanwhile, against without.
import { addAcks, fullSpeed, type Load, measureAcks, producing, steady } from '../acks.ts'
import { type Bench, inTurn, newTopic, settle } from '../journey.ts'
import type { RunningPeer } from '../peers.ts'
import { forker } from './admin.ts'
import { commander } from './commands.ts'
import { writeKeys } from './keys.ts'

const changedKeys = 1_000_000
const valueBytes = 100
const mebibyte = 2 ** 20
/** What the producer does meanwhile: enough messages to outlast the merge. */
const loads: readonly (Load & { label: string })[] = [
  { label: 'at 1,000 messages/s', ...steady(20), outside: 1 },
  { label: 'at full speed', ...fullSpeed(20_000_000), outside: 1 },
]

export async function gateOfMerge(bench: Bench, peers: readonly RunningPeer[]): Promise<void> {
  const client = bench.clients.application
  const changed = bench.count(changedKeys)
  for (const { label, ...load } of loads) {
    if (load.rate === 0 && client.name === 'KafkaJS') continue // it has no such measurement
    await inTurn(bench, `merge of ${changed} keys while producing ${label}`, peers, async (peer, round) => {
      await using admin = await forker(peer)
      await using commands = await commander(admin.kafka)
      const into = await newTopic(peer, 1)
      const from = `${into}--merged`
      await admin.fork([{ from: into, to: from }])
      await writeKeys(admin.kafka.producer(), from, { count: changed, partitions: 1, value: 'x'.repeat(valueBytes) })
      await settle()
      const add = (name: string, unit: string, value: number, aim: object = {}) =>
        bench.table.add(peer.peer, round, client.name, { name, unit, ...aim }, value)
      const p99 = await measureAcks(bench, peer, round, { topic: into, load, what: `${label}, without a merge` })
      const measuring = producing(bench, peer, into, load)
      const merge = await commands.run({ op: 'merge', from, into, strategy: 'three-way' })
      const during = await measuring
      addAcks(bench, peer, round, during, `${label}, with a merge of ${changed} keys`)
      // Whoever was under way while the gate was closed waited for it; everybody else should hardly notice.
      if (during.reports('outside_ms_p99')) {
        const outside = during.value('outside_ms_p99')
        add(`ack p99 ${label}, outside the gate`, 'ms', outside)
        const ratio = outside / p99
        add(`ack p99 ${label}, outside the gate against without a merge`, 'times', ratio, { aim: { most: 2 } })
      }
      add(`merge of ${changed} keys, producers ${label}`, 'ms', merge.ms)
      const most = Math.round(50 + (5 * changed * valueBytes) / mebibyte)
      add(`producers ${label} held back by it`, 'ms', merge.event.gateMs ?? 0, { aim: { most } })
      await admin.drop([from])
    })
  }
}
