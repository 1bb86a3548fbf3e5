// What producers notice while a large topic is compacted: 1 GB in which one record of a hundred is the newest of its key. It is
// written first and asked to be compacted then, so that both measurements see the same topic.
import { setTimeout as sleep } from 'node:timers/promises'
import kafkajs from 'kafkajs'
import { measureAcks, steady } from './acks.ts'
import { forker } from './branch/admin.ts'
import { diskBytes } from './branch/disk.ts'
import { writeKeys } from './branch/keys.ts'
import { inTurn, type Journey, newTopic, settle, warmUp, withPeers } from './journey.ts'

const records = 1_000_000
const valueBytes = 1000
/** A broker looks for work every 15 seconds, and compacting takes as long again. */
const seconds = 60
const compactedMsMax = 300_000

export const compaction: Journey = {
  name: 'compaction',
  summary: '1 GB with 1 % live keys is compacted: how long it takes, and p50, p99 of acknowledgements meanwhile',
  run: (bench) =>
    withPeers(bench, async (peers) => {
      const client = bench.clients.application
      await warmUp(bench, peers)
      const count = bench.count(records)
      // What was written last stays as it is: a small part of it all.
      const segmentBytes = Math.max(2 ** 20, Math.round((count * valueBytes) / 16))
      await inTurn(bench, 'produce while compacting', peers, async (peer, round) => {
        await using admin = await forker(peer)
        const topic = `large-${round}`
        const configEntries = [{ name: 'segment.bytes', value: `${segmentBytes}` }]
        const control = admin.kafka.admin()
        await control.connect()
        await control.createTopics({ topics: [{ topic, numPartitions: 1, configEntries }] })
        const value = 'x'.repeat(valueBytes)
        await writeKeys(admin.kafka.producer(), topic, { count, partitions: 1, value, distinct: count / 100 })
        await settle()
        const beside = await newTopic(peer, 1)
        const measured = (what: string, seconds: number) =>
          measureAcks(bench, peer, round, { topic: beside, load: steady(seconds), what })
        const without = await measured('without compaction', 20)
        const full = diskBytes(peer.dataFolder)
        const configs = [
          { name: 'cleanup.policy', value: 'compact' },
          { name: 'min.cleanable.dirty.ratio', value: '0.01' },
          { name: 'segment.bytes', value: `${segmentBytes}` },
        ]
        await control.alterConfigs({
          validateOnly: false,
          resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic, configEntries: configs }],
        })
        const askedAt = performance.now()
        const done = (async () => {
          while (diskBytes(peer.dataFolder) > full - 0.8 * count * valueBytes) {
            if (performance.now() - askedAt > compactedMsMax) throw new Error('not compacted after five minutes')
            await sleep(100)
          }
          return (performance.now() - askedAt) / 1000
        })()
        const [during, took] = await Promise.all([measured('while compacting', seconds), done])
        const add = (name: string, unit: string, figure: number, aim: object = {}) =>
          bench.table.add(peer.peer, round, client.name, { name, unit, ...aim }, figure)
        add('compacted after', 's', took)
        add('ack p99 while compacting against without', 'times', during / without, { aim: { most: 2 } })
        await control.deleteTopics({ topics: [topic, beside] })
        await control.disconnect()
      })
    }),
}
