// Stands in for the librdkafka client where that cannot be compiled: same modes, same arguments, same marks.
// KafkaJS spends more on a message than a broker does, so what it shows is mostly itself.
import { once } from 'node:events'
import { parseArgs } from 'node:util'
import { Kafka, logLevel } from 'kafkajs'

const text = (otherwise: string) => ({ type: 'string', default: otherwise }) as const
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    brokers: text('127.0.0.1:9092'),
    topic: text('bench'),
    partitions: text('1'),
    messages: text('1000000'),
    bytes: text('1024'),
    acks: text('1'),
    rate: text('1000'),
    // For the native clients only; taken so that all can be called alike.
    host: text(''),
    port: text(''),
    linger: text(''),
    'tick-us': text(''),
    'batch-records': text(''),
    repeat: text(''),
  },
})
const messageCount = Number(values.messages)
const partitionCount = Number(values.partitions)
const topic = values.topic
const acks = values.acks === 'all' ? -1 : Number(values.acks)
const value = Buffer.alloc(Number(values.bytes), 'abcdefghijklmnopqrstuvwxyz')
const sendSize = Math.max(1, Math.min(500, Math.floor(500_000 / value.length)))
const inFlightMax = 5

const kafka = new Kafka({ brokers: [values.brokers], logLevel: logLevel.ERROR })
process.env['KAFKAJS_NO_PARTITIONER_WARNING'] = '1'

async function mark(name: string) {
  process.stdout.write(`mark ${name}\n`)
  await once(process.stdin, 'data')
}

const say = (result: Record<string, number>) => process.stdout.write(`${JSON.stringify(result)}\n`)

function percentiles(prefix: string, samples: number[]): Record<string, number> {
  const sorted = Float64Array.from(samples.slice(samples.length / 10)).sort()
  const point = (share: number) => sorted[Math.floor((sorted.length - 1) * share)] ?? 0
  const named = { p50: 0.5, p90: 0.9, p99: 0.99, p999: 0.999, p9999: 0.9999, max: 1 }
  const points = Object.entries(named).map(([name, share]) => [`${prefix}_${name}`, point(share)])
  return Object.fromEntries([
    ...points,
    [`${prefix}_mean`, sorted.reduce((sum, each) => sum + each, 0) / sorted.length],
  ])
}

async function connectedProducer() {
  const producer = kafka.producer({ maxInFlightRequests: inFlightMax, retry: { retries: 5 } })
  await producer.connect()
  return producer
}

async function produce() {
  const producer = await connectedProducer()
  await mark('begin')
  const startAt = performance.now()
  const inFlight = new Set<Promise<unknown>>()
  for (let sent = 0, round = 0; sent < messageCount; sent += sendSize, round++) {
    const partition = round % partitionCount
    const messages = Array.from({ length: Math.min(sendSize, messageCount - sent) }, () => ({ value, partition }))
    const sending = producer.send({ topic, acks, messages }).finally(() => inFlight.delete(sending))
    inFlight.add(sending)
    if (inFlight.size >= inFlightMax) await Promise.race(inFlight)
  }
  await Promise.all(inFlight)
  const seconds = (performance.now() - startAt) / 1000
  await mark('end')
  say({ messages: messageCount, seconds, failed: 0 })
}

async function receive(onMessages: (values: (Buffer | null)[]) => void) {
  const consumer = kafka.consumer({ groupId: `bench-${topic}-${process.pid}`, maxWaitTimeInMs: 500, minBytes: 1 })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  const joined = new Promise((resolve) => consumer.on(consumer.events.GROUP_JOIN, resolve))
  await consumer.run({
    autoCommit: false,
    eachBatch: async ({ batch }) => onMessages(batch.messages.map((message) => message.value)),
  })
  await joined
}

// KafkaJS always joins a group, so the rate here is taken from the first batch on, and the join is told apart.
async function consume() {
  let received = 0
  let firstAt = 0
  let afterFirst = 0
  let finish = () => {}
  const finished = new Promise<void>((resolve) => {
    finish = resolve
  })
  await mark('begin')
  const startAt = performance.now()
  await receive((batch) => {
    firstAt ||= performance.now()
    received += batch.length
    if (received === batch.length) afterFirst = messageCount - received
    if (received >= messageCount) finish()
  })
  await finished
  const seconds = (performance.now() - firstAt) / 1000
  await mark('end')
  say({ messages: afterFirst, seconds, first_ms: firstAt - startAt })
}

async function latency() {
  const producer = await connectedProducer()
  const ackMs: number[] = []
  const arrivalMs: number[] = []
  let finish = () => {}
  const finished = new Promise<void>((resolve) => {
    finish = resolve
  })
  await receive((batch) => {
    const now = performance.now()
    for (const bytes of batch) arrivalMs.push(now - bytes!.readDoubleBE(0))
    if (arrivalMs.length >= messageCount) finish()
  })
  await mark('begin')
  const startAt = performance.now()
  const sending: Promise<unknown>[] = []
  for (let i = 0; i < messageCount; i++) {
    const dueAt = startAt + (i * 1000) / Number(values.rate)
    while (performance.now() < dueAt) await new Promise((resolve) => setTimeout(resolve, dueAt - performance.now()))
    const stamped = Buffer.from(value)
    stamped.writeDoubleBE(dueAt, 0) // as the native client does: what waits behind a stall is late, too
    const send = producer.send({ topic, acks, messages: [{ value: stamped, partition: i % partitionCount }] })
    sending.push(send.then(() => ackMs.push(performance.now() - dueAt)))
  }
  await Promise.all([...sending, finished])
  const seconds = (performance.now() - startAt) / 1000
  await mark('end')
  say({ messages: messageCount, seconds, ...percentiles('ack_ms', ackMs), ...percentiles('e2e_ms', arrivalMs) })
}

const mode = positionals[0]
if (mode === 'produce') await produce()
else if (mode === 'consume') await consume()
else if (mode === 'latency') await latency()
else throw new Error('produce | consume | latency')
process.exit(0)
