// Revision topics and views as a client has them that knows nothing of either: configurations, topics that cannot be written,
// headers. Only against a broker that has them.
import { setTimeout as sleep } from 'node:timers/promises'
import { Cannot, Refused } from '../hand.ts'
import { until } from '../process.ts'
import { codecs, type KafkaRecord, record, shown } from '../records.ts'
import { scenario } from '../scenario.ts'
import type { Consumer, Read, Stage } from '../stage.ts'
import { needsBranches } from './branches.ts'

const packedAtOnce = { 'revision.diff': 'true', 'revision.pack.lag.ms': '0' }

/** What this build has for a client's programmer: a decoder of deltas, a checksum, a producer of any batch. */
async function ours(file: string) {
  return import(new URL(`../../dist/${file}`, import.meta.url).href)
}

async function view(stage: Stage, of: string, kind: string, filters: Record<string, string> = {}): Promise<string> {
  return stage.topic(kind, 1, { 'view.of': of, 'view.kind': kind, ...filters })
}

async function source(stage: Stage, what: string, configs: Record<string, string> = {}): Promise<string> {
  needsBranches()
  stage.needs('createTopic', { configs: true })
  return stage.topic(what, 1, configs)
}

const header = ({ record }: Read, name: string): string | undefined =>
  record.headers.find(([own]) => own === name)?.[1]?.toString()

/** Reads on for a while: what should not come has had its time. */
async function linger(consumer: Consumer, ms: number): Promise<void> {
  for (const until = Date.now() + ms; Date.now() < until; ) await consumer.poll()
}

/** At the end of a view a reader waits as at the end of any topic: five fetches a second, or as many as it sends there. */
async function restsAtTheEnd(stage: Stage, reader: Consumer, topic: string): Promise<void> {
  const idleMs = 1_000
  const fetchesOf = async (consumer: Consumer) => {
    await linger(consumer, 300)
    const before = await stage.fetchCount()
    await linger(consumer, idleMs)
    const after = await stage.fetchCount()
    return before === undefined || after === undefined ? undefined : after - before
  }
  const fetches = await fetchesOf(reader)
  if (fetches === undefined || fetches <= (5 * idleMs) / 1_000) return
  const ordinary = await stage.consumer(topic, 'end')
  const both = await fetchesOf(ordinary)
  await ordinary.close()
  // The reader of the view, which nobody polls meanwhile, may go on or not.
  stage.ok(
    fetches <= 1.5 * both!,
    `${fetches} fetches in ${idleMs} ms at the end of a view, ${both} at that of its topic`,
  )
}

const document = (n: number, status: string): string =>
  JSON.stringify({ id: n, status, lines: Array.from({ length: 20 }, (_, i) => ({ item: `item ${i}`, price: i * 7 })) })

export const views = {
  'view.where': scenario(
    'a filtered view is read to its end by a group, lag 0, no record twice, while the newest records do not match (R32)',
    async (stage) => {
      const topic = await source(stage, 'orders', { 'revision.index.json': '/status' })
      const sent = Array.from({ length: 60 }, (_, i) => {
        return record(`k${i % 7}`, document(i, i < 50 && i % 5 === 0 ? 'paid' : 'open'))
      })
      await stage.send(topic, sent)
      const paid = await view(stage, topic, 'history', { 'view.where': '/status=paid' })
      const wanted = [0, 5, 10, 15, 20, 25, 30, 35, 40, 45]
      const isGroup = stage.can('joinGroup')
      const group = stage.name('paid-group')
      const reader = isGroup ? await stage.member(group, { topics: [paid] }) : await stage.consumer(paid, 'start')
      await reader.until('all that is paid has come', () => reader.seen.length >= wanted.length)
      if (stage.can('offsetAt')) stage.same(await stage.end(paid), 46, 'the end is behind the last that is visible')
      if (isGroup) {
        await stage.ask('commitOffsets', { consumer: reader.name })
        if (stage.can('groupOffsets')) {
          const { offsets } = await stage.ask('groupOffsets', { group, topic: paid })
          stage.same(
            offsets.map(({ offset }) => offset),
            [46],
            'lag 0',
          )
        }
      }
      await restsAtTheEnd(stage, reader, topic)
      await stage.send(topic, [record('k1', document(60, 'open')), record('k2', document(61, 'paid'))])
      await reader.until('what is paid later has come', () => reader.seen.length > wanted.length)
      await linger(reader, 300)
      stage.same(
        reader.seen.map(({ offset }) => offset),
        [...wanted, 61],
        'each once, at its offset in the topic',
      )
      stage.same(shown([without(reader.seen[1]!)]), shown([sent[5]!]), 'with key and value as they were')
      stage.same([header(reader.seen[1]!, 'rev'), header(reader.seen[1]!, 'rev.format')], ['1', 'full'])
      await reader.close()
    },
  ),

  'view.list': scenario(
    'a list of 1,000 revisions of a key is in order, and a seek in the topic finds one of them (R3)',
    async (stage) => {
      const topic = await source(stage, 'listed')
      const values = Array.from({ length: 1_000 }, (_, i) => document(i, 'open'))
      await stage.send(
        topic,
        values.flatMap((value, i) => [record('k', value), record(`other ${i % 3}`, 'x')]),
      )
      const list = await view(stage, topic, 'list', { 'view.key': 'k' })
      const read = await stage.read(list, values.length)
      const told = read.map(({ record: { value } }) => JSON.parse(String(value)))
      stage.same(
        told.map(({ rev, offset, format }) => [rev, offset, format === 'tombstone']),
        values.map((_, i) => [i + 1, 2 * i, false]),
      )
      stage.same(
        read.map(({ offset }) => offset),
        told.map(({ offset }) => offset),
        'records stand where their revisions stand',
      )
      const { offset } = told.find(({ rev }) => rev === 500)
      const [found] = await stage.read(topic, 1, { from: { offset } })
      stage.same([found!.offset, String(found!.record.value)], [offset, values[499]])
    },
  ),

  'view.diff': scenario(
    'every delta makes a revision out of the one before, and who begins in the middle finds the base by its offset (R4, R30)',
    async (stage) => {
      const { decodeDelta } = await ours('src/revision/decode-delta.js')
      const { crc32c } = await ours('protocol/crc32c.js')
      const topic = await source(stage, 'diffed')
      const values = Array.from({ length: 40 }, (_, i) => (i === 20 ? null : document(i >> 2, `step ${i}`)))
      await stage.send(
        topic,
        values.map((value) => record('k', value)),
      )
      const diff = await view(stage, topic, 'diff', { 'view.key': 'k' })
      const read = await stage.read(diff, values.length)
      const decoded = new Map<number, Buffer | null>()
      for (const one of read) {
        const [rev, format] = [Number(header(one, 'rev')), header(one, 'rev.format')]
        const { value } = one.record
        const base = decoded.get(Number(header(one, 'rev.base')))
        const made = format === 'vcdiff' ? decodeDelta(base, value, Number(header(one, 'rev.size'))) : value
        decoded.set(rev, format === 'tombstone' ? null : made)
        if (format === 'tombstone') continue
        stage.same(
          header(one, 'rev.crc32c'),
          crc32c(made).toString(16).padStart(8, '0'),
          `the checksum of revision ${rev}`,
        )
      }
      stage.same(header(read[0]!, 'rev.format'), 'full')
      stage.same(
        [...decoded.values()].map((value) => value && String(value)),
        values,
      )
      stage.ok(read.filter((one) => header(one, 'rev.format') === 'vcdiff').length > 30, 'most of them are deltas')
      const middle = (await stage.read(diff, 1, { from: { offset: 30 } }))[0]!
      const baseOffset = Number(header(middle, 'rev.base.offset'))
      const base = (await stage.read(topic, 1, { from: { offset: baseOffset } }))[0]!
      const made = decodeDelta(base.record.value, middle.record.value, Number(header(middle, 'rev.size')))
      stage.same([baseOffset, String(made)], [29, values[30]])
    },
  ),

  'view.state': scenario(
    'a state has the newest value of each key, moves with its topic, and stands still where it is as of a time (R6, R7, R8)',
    async (stage) => {
      const topic = await source(stage, 'state')
      const at = Date.now() - 60_000
      const put = (puts: readonly (readonly [string, string | null])[], from: number) =>
        stage.send(
          topic,
          puts.map(([key, value]) => record(key, value)),
          {
            timestamps: puts.map((_, i) => at + 1_000 * (from + i)),
          },
        )
      await put(
        [
          ['a', '1'],
          ['b', '1'],
          ['a', '2'],
          ['c', '1'],
          ['b', null],
        ],
        0,
      )
      const now = await view(stage, topic, 'state')
      const then = await view(stage, topic, 'state', { 'view.at': `timestamp:${at + 3_000}` })
      const map = (read: readonly Read[]) =>
        read.map(({ offset, record: { key, value } }) => [offset, String(key), value && String(value)])
      const follower = await stage.consumer(now, 'start')
      await follower.until('the state came', () => follower.seen.length >= 3)
      stage.same(map(follower.seen), [
        [2, 'a', '2'],
        [3, 'c', '1'],
        [4, 'b', null],
      ])
      stage.same(map(await stage.read(then, 2)), [
        [1, 'b', '1'],
        [2, 'a', '2'],
      ])
      await put([['c', '2']], 5)
      await follower.until('the next one came', () => follower.seen.length >= 4)
      stage.same(map(follower.seen).at(-1), [5, 'c', '2'])
      stage.same(map(await stage.read(now, 3)), [
        [2, 'a', '2'],
        [4, 'b', null],
        [5, 'c', '2'],
      ])
      if (stage.can('offsetAt')) stage.same([await stage.end(now), await stage.end(then)], [6, 3])
      await follower.close()
    },
  ),

  'view.refused': scenario(
    'nobody writes to a view, nor deletes its records; it goes with its topic (R22)',
    async (whole) => {
      // In a process of its own: KafkaJS asks for every topic that it has ever made, and one of them goes by itself.
      const stage = await whole.inside({})
      const topic = await source(stage, 'refused')
      // A producer that knows a topic makes it again when it is gone.
      const producer = await stage.producer()
      await stage.produce(producer, topic, [record('k', 'v')])
      const state = await view(stage, topic, 'state')
      await stage.refused(stage.produce(producer, state, [record('k', 'mine')]), 'INVALID_TOPIC_EXCEPTION', 'CLIENT')
      await stage.ask('closeProducer', { producer })
      if (stage.can('deleteRecords')) {
        const records = stage.ask('deleteRecords', { topic: state, partition: 0, before: 1 })
        await stage.refused(records, 'INVALID_TOPIC_EXCEPTION', 'POLICY_VIOLATION', 'CLIENT')
      }
      stage.same(
        (await stage.read(state, 1)).map(({ record }) => String(record.value)),
        ['v'],
      )
      await stage.ask('deleteTopic', { topic }).catch((problem: unknown) => {
        if (!(problem instanceof Refused) || problem.error !== 'UNKNOWN_TOPIC_OR_PARTITION') throw problem
      })
      whole.ok(stage.claimCount > 1, 'all of it was refused')
      if (!whole.can('listTopics')) return
      await until('both are gone', async () => {
        const { topics } = await whole.ask('listTopics', {})
        return !topics.includes(topic) && !topics.includes(state)
      })
    },
  ),
}

export const revisionTopics = {
  'revision.turned-on': scenario(
    'a topic becomes a revision topic by a configuration: what is there counts, and a record without a key is refused (R9, R11, R36)',
    async (stage) => {
      needsBranches()
      stage.needs('createTopic', { configs: true })
      const topic = await stage.topic('turned-on')
      await stage.send(topic, [record('k', '1'), record(null, 'without a key'), record('k', '2')])
      const set = (configs: Record<string, string>) =>
        stage.can('alterConfigs')
          ? stage.ask('alterConfigs', { resource: 'topic', name: topic, set: configs })
          : stage.ask('replaceConfigs', {
              resource: 'topic',
              name: topic,
              configs: { 'revision.diff': 'true', ...configs },
            })
      await set({ 'revision.diff': 'true' }).catch((problem: unknown) => {
        if (problem instanceof Refused && problem.error === 'CLIENT') throw new Cannot(problem.message)
        throw problem
      })
      await stage.send(topic, [record('k', '3')])
      await stage.refused(stage.send(topic, [record(null, 'late')]), 'INVALID_RECORD', 'CLIENT')
      const list = await view(stage, topic, 'list')
      const told = (await stage.read(list, 3)).map(({ record: { value } }) => JSON.parse(String(value)))
      stage.same(
        told.map(({ rev, offset }) => [rev, offset]),
        [
          [1, 0],
          [2, 2],
          [3, 3],
        ],
      )
      stage.same(
        (await stage.read(topic, 4)).map(({ record: { value } }) => String(value)),
        ['1', 'without a key', '2', '3'],
      )
      // rust-rdkafka does not look at what became of the older request.
      if (!stage.can('alterConfigs')) return
      await stage.refused(set({ 'cleanup.policy': 'compact' }), 'INVALID_CONFIG')
    },
  ),

  'revision.compressed': scenario(
    'what the client compresses, by each codec that it has, is the same records at the same offsets when it is packed (R18)',
    async (stage) => {
      const topic = await source(stage, 'compressed', { ...packedAtOnce, 'segment.ms': '1000' })
      const sent: KafkaRecord[] = []
      for (const codec of codecs.filter((of) => of !== 'none')) {
        const records = Array.from({ length: 40 }, (_, i) => record(`k${i % 7}`, document(i, `${codec} ${i}`)))
        try {
          await stage.send(topic, records, { codec })
          sent.push(...records)
        } catch (problem) {
          if (!(problem instanceof Cannot)) throw problem
        }
      }
      if (sent.length === 0) throw new Cannot('it compresses nothing')
      const before = await stage.read(topic, sent.length)
      stage.same(shown(before.map((one) => one.record)), shown(sent))
      stage.ok(!(await isPacked(stage, topic)), 'it has not been packed yet')
      // Closes the segment.
      await sleep(1_100)
      await stage.send(topic, [record('last', 'v')])
      await until('it is packed', () => isPacked(stage, topic), 60_000)
      const after = (await stage.read(topic, sent.length + 1)).slice(0, -1)
      stage.same(shown(after.map((one) => one.record)), shown(sent))
      const places = (read: readonly Read[]) => read.map(({ offset, timestamp }) => [offset, timestamp])
      stage.same(places(after), places(before), 'offsets and times')
    },
  ),

  'revision.packed': scenario(
    'a packed batch of 30 MB that came in 900 KB is read as before, in batches that fit, also by who has read half of it (R34)',
    async (stage) => {
      const topic = await source(stage, 'inflated', {
        ...packedAtOnce,
        'segment.ms': '1000',
        'internal.segment.bytes': '1048576',
      })
      const sent = inflated()
      await produceOneBatch(stage, topic, sent)
      const half = await stage.consumer(topic, 'start')
      await half.until('some came', () => half.seen.length > 0)
      // Closes the segment.
      await sleep(1_100)
      await stage.send(topic, [record('last', 'v')])
      await until('the batch is packed', () => isPacked(stage, topic), 60_000)
      await half.until('the rest came', () => half.seen.length > sent.length)
      await half.close()
      const all = await stage.read(topic, sent.length + 1)
      for (const read of [half.seen, all]) {
        stage.same(
          read.map(({ offset }) => offset),
          [...sent, 0].map((_, i) => i),
          'every offset once',
        )
        stage.same(shown(read.slice(0, -1).map((one) => one.record)), shown(sent))
      }
    },
  ),
}

function without({ record: { key, value, headers } }: Read): KafkaRecord {
  return { key, value, headers: headers.filter(([name]) => !name.startsWith('rev')) }
}

/** 300 documents of 100 KB, each of them a small change of the one before. */
function inflated(): KafkaRecord[] {
  const lines = Array.from({ length: 120 }, (_, i) => `"line ${i}": "${'the same again '.repeat(55)}${i * 7_919}"`)
  return Array.from({ length: 300 }, (_, i) => {
    lines[(i * 31) % lines.length] = `"line ${i}": "changed ${i * 104_729}"`
    return record(`document ${i % 10}`, `{${lines.join(',')}}`)
  })
}

/** Clients measure a batch before they compress it; this one does not. */
async function produceOneBatch(stage: Stage, topic: string, sent: readonly KafkaRecord[]): Promise<void> {
  const { produce } = await ours('protocol/messages/00-produce.js')
  const { encodeBatch } = await ours('protocol/records/builder.js')
  const timestamp = Date.now()
  const records = encodeBatch({ records: sent.map(({ key, value }) => ({ key, value, timestamp })), codec: 'gzip' })
  stage.ok(records.length < 1_000_000, `${records.length} bytes fit into a batch`)
  const topicData = [{ name: topic, partitionData: [{ index: 0, records }] }]
  const answer = await asked(stage, produce, 9, { transactionalId: null, acks: -1, timeoutMs: 30_000, topicData })
  stage.same(answer.responses[0].partitionResponses[0].errorCode, 0)
}

/** A packed batch is given without a codec. */
async function isPacked(stage: Stage, topic: string): Promise<boolean> {
  const { fetch } = await ours('protocol/messages/01-fetch.js')
  const { codec, sizeInBytes } = await ours('protocol/records/batch.js')
  const answer = await asked(stage, fetch, 12, {
    replicaId: -1,
    maxWaitMs: 0,
    minBytes: 1,
    maxBytes: 2_000_000,
    isolationLevel: 0,
    sessionId: 0,
    sessionEpoch: -1,
    topics: [{ topic, partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 2_000_000 }] }],
    forgottenTopicsData: [],
    rackId: '',
  })
  const { records } = answer.responses[0].partitions[0]
  const bytes = Buffer.isBuffer(records) ? records : Buffer.concat(records)
  if (codec(bytes, 0) !== 0) return false
  stage.ok(sizeInBytes(bytes, 0) <= 1_048_576, 'a rebuilt batch has at most 1 MiB')
  return true
}

async function asked(stage: Stage, table: unknown, version: number, body: object) {
  const { KafkaClient, parseBootstrap } = await ours('src/cli/client/kafka-client.js')
  const client = new KafkaClient(parseBootstrap(stage.broker.bootstrap))
  try {
    return await client.askLeader(-1, table, version, body)
  } finally {
    await client.close()
  }
}
