// The promise of acks=all: what was acknowledged is there, once and in order, whatever became of the process.
import type { StopSignal } from '../broker.ts'
import { until } from '../process.ts'
import { type KafkaRecord, record, shown, text } from '../records.ts'
import { restarting } from '../scenario.ts'
import type { Stage } from '../stage.ts'

const recordsPerBatch = 20
const batchesBefore = 50
const batchesAfter = 30

function flooded(signal: StopSignal) {
  return async (stage: Stage) => {
    const configs = { 'retention.ms': '7200000' }
    const topic = await stage.topic(`restart-${signal}`, 1, stage.can('createTopic', { configs }) ? configs : {})
    const producer = await stage.producer(stage.can('openProducer', { idempotent: true }) ? { idempotent: true } : {})
    const acknowledged: KafkaRecord[] = []
    let batchCount = 0
    let stopped = false
    /** One batch after the other; each is tried again by the client until it is acknowledged. */
    const flood = async () => {
      while (!stopped) {
        const batch = Array.from({ length: recordsPerBatch }, (_, i) => record(null, `${acknowledged.length + i}`))
        await stage.produce(producer, topic, batch)
        acknowledged.push(...batch)
        batchCount++
      }
    }
    const flooding = flood()
    flooding.catch(() => {}) // it is awaited below
    await until('the flood runs', () => batchCount >= batchesBefore)
    await stage.broker.restart(signal) // a batch is on its way when the broker goes
    const countAtReturn = batchCount
    await Promise.race([until('the flood goes on', () => batchCount >= countAtReturn + batchesAfter, 45_000), flooding])
    stopped = true
    await flooding
    const read = await stage.read(topic, acknowledged.length)
    const values = read.map((each) => each.record)
    if (!stage.can('openProducer', { idempotent: true })) {
      const known = new Set(shown(values)) // a batch may be there twice, but none may be missing
      stage.ok(
        shown(acknowledged).every((line) => known.has(line)),
        'everything acknowledged is there',
      )
      return
    }
    stage.same(shown(values), shown(acknowledged))
    stage.same(await stage.end(topic), acknowledged.length, 'no record twice, none that was not acknowledged')
    if (stage.can('describeConfigs')) {
      const { configs } = await stage.ask('describeConfigs', {
        resource: 'topic',
        name: topic,
        names: ['retention.ms'],
      })
      stage.same(configs['retention.ms']?.value, '7200000', 'the config is there')
    }
  }
}

export const restarts = {
  'restart.SIGTERM': restarting(
    'a clean stop while producing: every acknowledged record is there once, in order',
    flooded('SIGTERM'),
  ),
  'restart.SIGKILL': restarting(
    'kill -9 while producing: every acknowledged record is there once, in order',
    flooded('SIGKILL'),
  ),

  'restart.group': restarting('kill -9 under a group: the members go on where they had committed', async (stage) => {
    const topic = await stage.topic('restart-group', 2)
    const group = stage.name('restart-group-group')
    for (const partition of [0, 1]) await stage.send(topic, text(10, `before-${partition}`), { partition })
    const member = await stage.member(group, { topics: [topic] })
    await member.until('all came', () => member.seen.length === 20)
    await stage.ask('commitOffsets', { consumer: member.name })
    await stage.broker.restart('SIGKILL')
    for (const partition of [0, 1]) await stage.send(topic, text(5, `after-${partition}`), { partition })
    await member.until('the member goes on', () => member.keys.length === 30)
    await stage.ask('commitOffsets', { consumer: member.name })
    await member.close()
    const next = await stage.member(group, { topics: [topic] })
    await next.until('the next one has both partitions', () => next.partitions.length === 2)
    await stage.send(topic, text(1, 'last'))
    await next.until('the last record came', () => next.seen.length >= 1)
    stage.same(next.keys, ['last-0'], 'and nothing that was committed')
  }),
}
