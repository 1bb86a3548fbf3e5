// Metrics hold what clients have done, under the names that dashboards look for.

import { Kafka, logLevel } from 'kafkajs'
import { expect, test } from 'vitest'
import { fetch as fetching } from '../../protocol/messages/01-fetch.ts'
import { FaultyStore } from '../../src/storage/faulty-file.ts'
import { requestFrame, Wire } from '../net/wire.ts'
import { Asking } from '../soak/asking.ts'
import { HttpStage } from './stage.ts'

async function metricsOf(stage: HttpStage): Promise<Map<string, number>> {
  const { text } = await stage.get('/metrics')
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(lines.map((line) => [line.replace(/ \S+$/, ''), Number(/ (\S+)$/.exec(line)![1])]))
}

test('topics, groups and their lag, requests, connections and bytes', async () => {
  await using stage = await HttpStage.open({ topics: [{ name: 'orders', partitions: 2 }] })
  const kafka = new Kafka({ brokers: [stage.broker.bootstrapServers], logLevel: logLevel.NOTHING })
  const producer = kafka.producer()
  await producer.connect()
  const send = (count: number) =>
    producer.send({
      topic: 'orders',
      messages: Array.from({ length: count }, () => ({ partition: 1, value: 'x'.repeat(1000) })),
    })
  await send(10)
  const consumer = kafka.consumer({ groupId: 'a "quoted"\ngroup' })
  await consumer.connect()
  await consumer.subscribe({ topic: 'orders', fromBeginning: true })
  await new Promise<void>((resolve) => {
    consumer.run({
      autoCommit: false,
      eachMessage: async ({ partition, message }) => {
        if (message.offset !== '9') return
        await consumer.commitOffsets([{ topic: 'orders', partition, offset: '10' }])
        resolve()
      },
    })
  })
  await send(5)
  const told = await metricsOf(stage)
  const group = 'consumergroup="a \\"quoted\\"\\ngroup"'
  expect(told.get('kafka_brokers')).toBe(1)
  expect(told.get('kafka_topic_partitions{topic="orders"}')).toBe(2)
  expect(told.get('kafka_topic_partition_current_offset{topic="orders",partition="1"}')).toBe(15)
  expect(told.get('kafka_topic_partition_oldest_offset{topic="orders",partition="1"}')).toBe(0)
  expect(told.get('kafka_log_log_size{topic="orders",partition="1"}')).toBeGreaterThan(15_000)
  expect(told.get(`kafka_consumergroup_current_offset{${group},topic="orders",partition="1"}`)).toBe(10)
  expect(told.get(`kafka_consumergroup_lag{${group},topic="orders",partition="1"}`)).toBe(5)
  expect(told.get(`kafka_consumergroup_lag_sum{${group},topic="orders"}`)).toBe(5)
  expect(told.get(`kafka_consumergroup_members{${group}}`)).toBe(1)
  expect(told.get('kafka_network_requestmetrics_requests_total{request="Produce"}')).toBe(2)
  expect(told.get('kafka_network_requestmetrics_totaltimems_count{request="Produce"}')).toBe(2)
  expect(told.get('twiglog_request_seconds_bucket{request="Produce",le="+Inf"}')).toBe(2)
  expect(told.get('kafka_network_requestmetrics_totaltimems{request="Produce",quantile="0.99"}')).toBeGreaterThan(0)
  expect(told.get('twiglog_connections')).toBeGreaterThan(0)
  expect(told.get('twiglog_network_bytes_in_total')).toBeGreaterThan(15_000)
  expect(told.get('twiglog_network_bytes_out_total')).toBeGreaterThan(10_000)
  await Promise.all([consumer.disconnect(), producer.disconnect()])
  const later = await metricsOf(stage)
  // What was counted stays counted when connections go.
  expect(later.get('twiglog_network_bytes_in_total')).toBeGreaterThanOrEqual(
    told.get('twiglog_network_bytes_in_total')!,
  )
  expect(later.get('twiglog_event_loop_delay_seconds{quantile="0.99"}')).toBeGreaterThanOrEqual(0)
  expect(later.get('twiglog_http_requests_total{method="GET",route="/metrics",status="200"}')).toBe(1)
})

test('a log that nobody uses is not held open for it', async () => {
  const stage = await HttpStage.open({ onDisk: true, topics: [{ name: 'idle', partitions: 20 }] })
  await using _ = stage
  await stage.post(
    '/topics/idle/records',
    Array.from({ length: 20 }, (_, partition) => ({ partition, value: 1 })),
  )
  const first = await metricsOf(stage)
  const second = await metricsOf(stage)
  const size = 'kafka_log_log_logendoffset{topic="idle",partition="7"}'
  expect([first.get(size), second.get(size)]).toEqual([1, 1])
})

test('a group of a branch set is told with its set', async () => {
  await using stage = await HttpStage.open({ topics: ['orders'] })
  await stage.broker.fork({ from: 'orders', set: 'pr-2' })
  const kafka = new Kafka({
    brokers: [stage.broker.bootstrapServers],
    clientId: 'app--branch--pr-2--',
    logLevel: logLevel.NOTHING,
  })
  const admin = kafka.admin()
  await admin.connect()
  await admin.setOffsets({ groupId: 'g', topic: 'orders', partitions: [{ partition: 0, offset: '0' }] })
  await admin.disconnect()
  const told = await metricsOf(stage)
  expect(
    told.get('kafka_consumergroup_current_offset{consumergroup="g",set="pr-2",topic="orders--pr-2",partition="0"}'),
  ).toBe(0)
})

test('flushes, openings, compaction and what became of commands are told; a fetch that waits is in the queue', async () => {
  await using stage = await HttpStage.open({
    onDisk: true,
    topics: [
      { name: 'safe', config: { 'flush.messages': 1 } },
      {
        name: 'compacted',
        config: { 'cleanup.policy': 'compact', 'internal.segment.bytes': 1000, 'min.cleanable.dirty.ratio': 0.01 },
      },
    ],
    config: { 'log.cleaner.backoff.ms': 20 },
  })
  const before = await metricsOf(stage)
  expect(before.get('twiglog_start_seconds')).toBeGreaterThan(0)
  await stage.post('/topics/safe/records', [{ value: 'x' }])
  for (let i = 0; i < 10; i++) await stage.post('/topics/compacted/records', [{ key: 'k', value: 'x'.repeat(900) }])
  const fork = await stage.broker.fork({ from: 'safe', set: 'try' })
  using waiting = await Asking.open(stage.broker.bootstrapServers)
  const partitions = [{ partition: 0, fetchOffset: 1, partitionMaxBytes: 1000, currentLeaderEpoch: -1 }]
  const body = { maxWaitMs: 60_000, minBytes: 1, maxBytes: 1000, isolationLevel: 0, forgottenTopicsData: [] }
  waiting.client.send(waiting.client.frame(fetching, 11, { ...body, topics: [{ topic: 'safe', partitions }] }))
  let told = before
  const saved = () =>
    told.get('twiglog_log_compaction_bytes_before_total')! - told.get('twiglog_log_compaction_bytes_after_total')!
  // A round of compaction is some rounds of the event loop: its bytes are told before its end. One that met a single record saves nothing.
  const rounds = () => told.get('twiglog_log_compaction_seconds_count')!
  do told = await metricsOf(stage)
  while (!(saved() > 0 && rounds() > 0) || told.get('kafka_network_requestchannel_requestqueuesize') !== 1)
  expect(told.get('kafka_log_logflushstats_logflushrateandtimems_count')).toBeGreaterThan(
    before.get('kafka_log_logflushstats_logflushrateandtimems_count')!,
  )
  expect(told.get('twiglog_request_queue_bytes')).toBeGreaterThan(0)
  expect(told.get('twiglog_log_open_seconds_count')).toBeGreaterThan(0)
  expect(told.get('twiglog_branch_results_total{type="fork",status="done"}')).toBe(1)
  expect(told.get('twiglog_maps')).toBeGreaterThanOrEqual(0)
  await fork.drop()
})

test('leases end with the answers that took them', async () => {
  await using stage = await HttpStage.open({ onDisk: true, topics: ['orders'] })
  await stage.post('/topics/orders/records', [{ value: 'x'.repeat(10_000) }])
  using asking = await Asking.open(stage.broker.bootstrapServers)
  const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1e6, currentLeaderEpoch: -1 }]
  const body = { maxWaitMs: 0, minBytes: 1, maxBytes: 1e6, isolationLevel: 0, forgottenTopicsData: [] }
  for (let i = 0; i < 20; i++)
    await asking.client.ask(fetching, 11, { ...body, topics: [{ topic: 'orders', partitions }] })
  let told = await metricsOf(stage)
  while (told.get('twiglog_map_leases') !== 0) told = await metricsOf(stage)
})

test('an event loop that stood still is told', async () => {
  await using stage = await HttpStage.open()
  // It is looked at from the first question on, and now and then a question comes before the look.
  for (let worst = 0; worst < 0.1; ) {
    for (const until = performance.now() + 200; performance.now() < until; );
    worst = (await metricsOf(stage)).get('twiglog_event_loop_delay_seconds{quantile="1"}') ?? 0
  }
})

test('answers that nobody takes are told, with the leases that they keep', async () => {
  await using stage = await HttpStage.open({ onDisk: true, topics: ['orders'] })
  for (let i = 0; i < 10; i++) await stage.post('/topics/orders/records', [{ value: 'x'.repeat(900_000) }])
  const wire = await Wire.open(stage.broker.bootstrapServers, { reads: false })
  const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1e7, currentLeaderEpoch: -1 }]
  const body = { maxWaitMs: 0, minBytes: 1, maxBytes: 1e7, isolationLevel: 0, forgottenTopicsData: [] }
  const frame = requestFrame(fetching, 11, { ...body, topics: [{ topic: 'orders', partitions }] })
  await wire.sent(Buffer.concat([frame, frame, frame]))
  const lies = (told: Map<string, number>) =>
    told.get('twiglog_response_queue_bytes')! > 0 && told.get('twiglog_map_leases')! > 0
  let told = await metricsOf(stage)
  while (!lies(told)) told = await metricsOf(stage)
  wire.drop()
  while (told.get('twiglog_response_queue_bytes') !== 0 || told.get('twiglog_map_leases') !== 0)
    told = await metricsOf(stage)
})

test('what a start after a kill had to read and to cut is told', async () => {
  const store = new FaultyStore()
  const [scanned, cut] = ['twiglog_log_recovered_bytes_total', 'twiglog_log_cut_bytes_total']
  let left: FaultyStore | undefined
  {
    await using stage = await HttpStage.open({ storage: store, topics: ['orders'] })
    await stage.post('/topics/orders/records', [{ value: 'x'.repeat(5000) }])
    store.fault = (operation) => {
      if (operation === 'staged') left ??= store.after('kill', 40)
      return undefined
    }
    await stage.post('/topics/orders/records', [{ value: 'torn' }])
  }
  await using again = await HttpStage.open({ storage: left! })
  await again.get('/topics/orders/records')
  const told = await metricsOf(again)
  expect(told.get(scanned!)).toBeGreaterThan(5000)
  expect(told.get(cut!)).toBeGreaterThan(0)
})
