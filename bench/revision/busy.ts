// What a producer notices of the packer: how long its messages wait for their acknowledgement while another topic is packed,
// against without, at a low rate and at full speed. The packer is held back (revision.pack.lag.ms) until the clock starts: so
// there is work when the producer begins, and the rate of the packer is seen. The index of the topic is ready by then, as it is in
// daily life.
import { RevisionClient } from '../../src/cli/rev/revision-client.ts'
import { fullSpeed, type Load, measureAcks, producing, steady } from '../acks.ts'
import { type Bench, inTurn, megabyte, newTopic, settle } from '../journey.ts'
import type { RunningPeer } from '../peers.ts'
import { segmentsIn } from './segments.ts'
import { clientOf, createTopic, kafkaOf, packed, packedAtOnce, writeRevisions } from './topics.ts'

const seconds = 8
const keys = 500
const revisions = 150_000
/** At full speed the packer has less of the cores: as many messages as are sent while it is at work. */
const loads: readonly (Load & { label: string })[] = [
  { label: '', ...steady(seconds) },
  { label: ', at full speed', ...fullSpeed(4_000_000) },
]

export async function whilePacking(bench: Bench, peers: readonly RunningPeer[]): Promise<void> {
  const topics = new Map<RunningPeer, string>()
  for (const peer of peers) {
    const topic = await newTopic(peer, 1)
    topics.set(peer, topic)
    await producing(bench, peer, topic, steady(seconds)) // warm
  }
  const client = bench.clients.application
  for (const { label, ...load } of loads) {
    if (load.rate === 0 && client.name === 'KafkaJS') continue // it has no such measurement
    await inTurn(bench, `produce while packing${label}`, peers, async (peer, round) => {
      const topic = topics.get(peer)!
      const add = (name: string, unit: string, value: number, aim?: { most: number } | { least: number }) =>
        bench.table.add(peer.peer, round, 'wire', { name, unit, ...(aim === undefined ? {} : { aim }) }, value)
      const measured = (what: string) => measureAcks(bench, peer, round, { topic, load, what: `${what}${label}` })
      const kafka = kafkaOf(peer)
      const producer = kafka.producer()
      const wire = clientOf(peer)
      const documents = `documents-${round}-${load.rate}`
      try {
        await createTopic(kafka, documents, { ...packedAtOnce, 'revision.pack.lag.ms': '86400000' })
        await producer.connect()
        const fullBytes = await writeRevisions(producer, documents, bench.count(keys), bench.count(revisions))
        await settle()
        const { id } = await wire.topic(documents)
        await new RevisionClient(wire).revisions(documents, Buffer.from('document 0'))
        const segments = () => segmentsIn(peer.dataFolder, id)
        const before = segments()
        const without = await measured('without packing')
        await wire.alter(documents, { 'revision.pack.lag.ms': '0' })
        const beganAt = performance.now()
        const done = packed(() => segments().waiting, beganAt)
        const during = await measured('while packing')
        const isBusy = segments().waiting > 0
        const ms = await done
        const after = segments()
        add(`ack p99 while packing against without${label}`, 'times', during / without, { most: 1.5 })
        add(`packed${label}`, 'MB/s', fullBytes / megabyte / (ms / 1000))
        add(`packed files against before${label}`, '%', (100 * after.bytes) / before.bytes)
        if (!isBusy)
          bench.print({
            figure: `produce while packing${label}`,
            round,
            note: 'the packer was done before the producer',
          })
      } finally {
        await producer.disconnect()
        await wire.deleteTopic(documents).catch(() => undefined)
        await wire.close()
      }
    })
  }
}
