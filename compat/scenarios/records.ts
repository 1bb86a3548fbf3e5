// Records: sent in every way there is, and read from every place one can start at.
import { setTimeout as sleep } from 'node:timers/promises'
import { type Codec, incompressible, large, record, shown, text } from '../records.ts'
import { scenario } from '../scenario.ts'
import { type Producing, pollingUntil, type Read, type Stage } from '../stage.ts'

function records(read: readonly Read[]): string[] {
  return shown(read.map(({ record }) => record))
}

function codec(codec: Codec) {
  return scenario(
    `${codec === 'none' ? 'an uncompressed' : `a ${codec}`} batch is read back byte for byte`,
    async (stage) => {
      const topic = await stage.topic(codec)
      const sent = [...text(200, codec), ...stage.shapes]
      await stage.send(topic, sent.slice(0, 150), { codec })
      await stage.send(topic, sent.slice(150), { codec })
      await stage.holds(topic, sent)
    },
  )
}

function acks(acks: 0 | 1 | 'all', title: string) {
  return scenario(title, async (stage) => {
    const topic = await stage.topic(`acks-${acks}`)
    const sent = text(50, `acks ${acks}`)
    await stage.send(topic, sent, { acks })
    await stage.holds(topic, sent)
  })
}

/** Three batches of ten, a second between two records, so that every place to start at lies inside a batch. */
async function spaced(stage: Stage, what: string, options: Producing = { codec: 'gzip' }) {
  const topic = await stage.topic(what)
  const sent = text(30, what)
  const firstAt = Date.now() - 60_000
  for (const from of [0, 10, 20]) {
    const timestamps = sent.slice(from, from + 10).map((_, i) => firstAt + (from + i) * 1_000)
    await stage.send(topic, sent.slice(from, from + 10), { ...options, timestamps })
  }
  return { topic, sent, firstAt }
}

export const producing = {
  'produce.none': codec('none'),
  'produce.gzip': codec('gzip'),
  'produce.snappy': codec('snappy'),
  'produce.lz4': codec('lz4'),
  'produce.zstd': codec('zstd'),
  'produce.acks-0': acks(0, 'acks=0: nothing is answered, the records arrive'),
  'produce.acks-1': acks(1, 'acks=1: answered by the leader, the records arrive'),
  'produce.acks-all': acks('all', 'acks=all: answered by every replica, the records arrive'),

  'produce.shapes': scenario('null, empty and binary keys, values and headers keep their difference', async (stage) => {
    const topic = await stage.topic('shapes')
    await stage.send(topic, stage.shapes)
    await stage.holds(topic, stage.shapes)
  }),

  'produce.null-header': scenario('a header without a value is not one with an empty value', async (stage) => {
    const topic = await stage.topic('null-header')
    const sent = [
      record('null', 'v', [['none', null]]),
      record('empty', 'v', [['none', Buffer.alloc(0)]]),
      record('both', 'v', [
        ['none', null],
        ['none', Buffer.alloc(0)],
      ]),
    ]
    await stage.send(topic, sent)
    await stage.holds(topic, sent)
  }),

  'produce.large': scenario('a record of 1,000,000 bytes is read back byte for byte', async (stage) => {
    const topic = await stage.topic('large')
    const sent = [record('before', 'small'), large, record('after', 'small')]
    for (const each of sent) await stage.send(topic, [each])
    await stage.holds(topic, sent)
  }),

  'produce.too-large': scenario(
    'a record above max.message.bytes is refused, and the next one is taken',
    async (stage) => {
      const topic = await stage.topic('too-large', 1, { 'max.message.bytes': '10000' })
      await stage.refused(stage.send(topic, [record('large', incompressible(20_000))]), 'MESSAGE_TOO_LARGE')
      await stage.send(topic, [record('small', 'small')])
      await stage.holds(topic, [record('small', 'small')])
    },
  ),

  'produce.idempotent': scenario('an idempotent producer writes each record once, in order', async (stage) => {
    const topic = await stage.topic('idempotent')
    const sent = text(1_000, 'idempotent')
    const producer = await stage.producer({ idempotent: true, batchBytes: 2_000 })
    for (let from = 0; from < sent.length; from += 250) {
      const offsets = await stage.produce(producer, topic, sent.slice(from, from + 250))
      if (offsets)
        stage.same(
          offsets,
          Array.from({ length: 250 }, (_, i) => from + i),
          'acknowledged with their offsets',
        )
    }
    await stage.holds(topic, sent)
  }),

  'produce.keys': scenario(
    'records without a partition go where their key says, the same key always to the same',
    async (stage) => {
      const topic = await stage.topic('keys', 4)
      const producer = await stage.producer()
      const sent = [...text(40, 'keys'), ...text(40, 'keys')]
      const wire = sent.map(({ key, value }) => ({
        key: key!.toString('base64'),
        value: value!.toString('base64'),
        headers: [],
      }))
      await stage.ask('produce', { producer, topic, records: wire })
      const places = new Map<string, Set<number>>()
      let count = 0
      for (const partition of [0, 1, 2, 3]) {
        const end = await stage.end(topic, partition)
        stage.ok(end > 0, `partition ${partition} got some`)
        for (const { record } of await stage.read(topic, end, { partition })) {
          const key = String(record.key)
          places.set(key, (places.get(key) ?? new Set()).add(partition))
          count++
        }
      }
      stage.same(count, 80)
      stage.ok(
        [...places.values()].every(({ size }) => size === 1),
        'no key is in two partitions',
      )
    },
  ),

  'produce.create-time': scenario('the time that the producer gives is the time of the record', async (stage) => {
    const topic = await stage.topic('create-time')
    const at = Date.now() - 3_600_000
    await stage.send(topic, text(2, 'time'), { timestamps: [at, at + 1] })
    stage.same(
      (await stage.read(topic, 2)).map(({ timestamp }) => timestamp),
      [at, at + 1],
    )
  }),

  'produce.append-time': scenario(
    'with message.timestamp.type=LogAppendTime the broker’s clock decides',
    async (stage) => {
      const topic = await stage.topic('append-time', 1, { 'message.timestamp.type': 'LogAppendTime' })
      const at = Date.now() - 3_600_000
      await stage.send(topic, text(2, 'time'), { timestamps: [at, at + 1] })
      const times = (await stage.read(topic, 2)).map(({ timestamp }) => timestamp)
      stage.ok(
        times.every((time) => time > at + 3_000_000 && time <= Date.now() + 60_000),
        `${times} are the broker’s`,
      )
      stage.ok(times[0]! <= times[1]!, `${times} do not go back`) // a client may have made two batches of them
    },
  ),

  'produce.time-limit': scenario(
    'a record that is older than message.timestamp.before.max.ms allows is refused',
    async (stage) => {
      const topic = await stage.topic('time-limit', 1, { 'message.timestamp.before.max.ms': '60000' })
      const old = stage.send(topic, text(1, 'old'), { timestamps: [Date.now() - 3_600_000] })
      await stage.refused(old, 'INVALID_TIMESTAMP', 'CLIENT')
      await stage.send(topic, text(1, 'new'), { timestamps: [Date.now()] })
      await stage.holds(topic, text(1, 'new'))
    },
  ),

  'produce.compacted-needs-key': scenario('a compacted topic refuses a record without a key', async (stage) => {
    const topic = await stage.topic('needs-key', 1, { 'cleanup.policy': 'compact' })
    await stage.refused(stage.send(topic, [record(null, 'v')]), 'INVALID_RECORD', 'CLIENT')
    await stage.send(topic, [record('k', 'v')])
    await stage.holds(topic, [record('k', 'v')])
  }),
}

export const consuming = {
  'consume.start': scenario('reading from the start gives every record, in order', async (stage) => {
    const { topic, sent } = await spaced(stage, 'start')
    const read = await stage.read(topic, 30)
    stage.same(records(read), shown(sent))
    stage.same(
      read.map(({ offset }) => offset),
      [...sent.keys()],
    )
  }),

  'consume.end': scenario('reading from the end gives only what comes later', async (stage) => {
    const { topic } = await spaced(stage, 'end')
    const consumer = await stage.consumer(topic, 'end')
    await consumer.poll()
    await stage.send(topic, [record('later', 'later')])
    await consumer.until('the later record came', () => consumer.seen.length > 0)
    stage.same(records(consumer.seen), shown([record('later', 'later')]))
    stage.same(consumer.seen[0]!.offset, 30)
  }),

  'consume.offset': scenario('reading from an offset starts with exactly that record', async (stage) => {
    const { topic, sent } = await spaced(stage, 'offset')
    stage.same(records(await stage.read(topic, 13, { from: { offset: 17 } })), shown(sent.slice(17)))
  }),

  'consume.timestamp': scenario(
    'reading from a timestamp starts with the first record that is not older',
    async (stage) => {
      const { topic, sent, firstAt } = await spaced(stage, 'timestamp')
      const from = { timestamp: firstAt + 14_001 }
      stage.same(
        records(await stage.read(topic, 15, { from })),
        shown(sent.slice(15)),
        'between two records: the later',
      )
    },
  ),

  'consume.offsets': scenario('the client is told the start, the end, and the offset of a time', async (stage) => {
    const { topic, firstAt } = await spaced(stage, 'offsets')
    const at = async (at: 'start' | 'end' | 'youngest' | number) =>
      (await stage.ask('offsetAt', { topic, partition: 0, at })).offset
    stage.same(await at('start'), 0)
    stage.same(await at('end'), 30)
    stage.same(await at(firstAt + 14_000), 14, 'the very millisecond')
    stage.same(await at(firstAt + 14_001), 15, 'between two records: the later one')
    stage.ok([-1, 30].includes(await at(firstAt + 600_000)), 'nothing is that young')
    if (stage.can('offsetAt', { at: 'youngest' })) stage.same(await at('youngest'), 29)
  }),

  'consume.seek': scenario('a consumer goes back and forth with seek', async (stage) => {
    const { topic } = await spaced(stage, 'seek')
    const consumer = await stage.consumer(topic, 'start')
    await consumer.until('all came', () => consumer.seen.length >= 30)
    const seek = (offset: number) => stage.ask('seek', { consumer: consumer.name, topic, partition: 0, offset })
    await seek(5)
    await consumer.until('they came again', () => consumer.seen.length >= 55)
    await seek(28)
    await consumer.until('the last two came again', () => consumer.seen.length >= 57)
    stage.same(
      consumer.seen.slice(30).map(({ offset }) => offset),
      [...Array.from({ length: 25 }, (_, i) => 5 + i), 28, 29],
    )
  }),

  'consume.pause': scenario('a paused partition gives nothing until it is resumed, the others go on', async (stage) => {
    const topic = await stage.topic('pause', 2)
    const member = await stage.member(stage.name('pause-group'), { topics: [topic] })
    await member.until('the member has both partitions', () => member.partitions.length === 2)
    const partitions = [{ topic, partition: 1 }]
    await stage.ask('pause', { consumer: member.name, partitions })
    await stage.send(topic, text(5, 'paused'), { partition: 1 })
    await stage.send(topic, text(5, 'running'), { partition: 0 })
    await member.until('the other partition’s records came', () => member.seen.length >= 5)
    for (let i = 0; i < 3; i++) await member.poll() // more would come by now
    stage.same([...new Set(member.seen.map(({ partition }) => partition))], [0])
    await stage.ask('resume', { consumer: member.name, partitions })
    await member.until('what was held back came', () => member.seen.length >= 10)
    stage.same(member.keys, [...text(5, 'paused'), ...text(5, 'running')].map(({ key }) => String(key)).sort())
  }),

  'consume.large-fetch': scenario('20 MB are read by one consumer with large fetches, byte for byte', async (stage) => {
    const topic = await stage.topic('large-fetch')
    const sent = Array.from({ length: 20 }, (_, i) => record(`${i}`, incompressible(1_000_000 - i)))
    for (const each of sent) await stage.send(topic, [each])
    const read = await stage.read(topic, sent.length, { fetchBytes: 50_000_000 })
    stage.same(records(read), shown(sent))
  }),

  'consume.small-fetch': scenario('a fetch smaller than the record still gives the record (KIP-74)', async (stage) => {
    const topic = await stage.topic('small-fetch')
    const sent = [record('small', 'v'), record('large', incompressible(300_000)), record('after', 'v')]
    for (const each of sent) await stage.send(topic, [each])
    stage.same(records(await stage.read(topic, 3, { fetchBytes: 2_000 })), shown(sent))
  }),

  'consume.two': scenario('two consumers without a group read the same records', async (stage) => {
    const topic = await stage.topic('two')
    const both = [await stage.consumer(topic, 'start'), await stage.consumer(topic, 'start')] as const
    const sent = text(20, 'two')
    await stage.send(topic, sent)
    await pollingUntil(both, 'both saw all', () => both.every(({ seen }) => seen.length >= 20))
    for (const { seen } of both) stage.same(records(seen), shown(sent))
  }),

  'consume.compacted': scenario(
    'a compacted topic shows the newest value of each key, at its own offset',
    async (stage) => {
      const topic = await stage.topic('compacted', 1, {
        'cleanup.policy': 'compact',
        'segment.bytes': '1048576',
        'segment.ms': '500',
        'min.cleanable.dirty.ratio': '0.01',
        'delete.retention.ms': '0',
      })
      const rounds = 30
      for (let round = 0; round < rounds; round++) {
        const batch = Array.from({ length: 10 }, (_, i) =>
          record(`key-${i}`, i === 0 && round > 20 ? null : `${round}`),
        )
        await stage.send(topic, batch)
      }
      await sleep(600) // longer than segment.ms: the next append begins a segment, and the one before can be compacted
      await stage.send(topic, [record('last', 'last')])
      const giveUpAt = Date.now() + 30_000
      let read: Read[] = []
      do {
        await sleep(300)
        const consumer = await stage.consumer(topic, 'start')
        await consumer.until('the last record came', () => consumer.values.includes('last'))
        await consumer.close()
        read = [...consumer.seen]
      } while (read.length > 12 && Date.now() < giveUpAt)
      const live = read.filter(({ record }) => record.value !== null)
      stage.same(
        live.map(({ record, offset }) => `${record.key}=${record.value}@${offset}`),
        [...Array.from({ length: 9 }, (_, i) => `key-${i + 1}=29@${290 + i + 1}`), 'last=last@300'],
      )
      stage.ok(read.length <= 12, `${read.length} records are left`)
    },
  ),

  'records.delete': scenario(
    'records below an offset are deleted and the start of the log moves there',
    async (stage) => {
      const topic = await stage.topic('delete-records')
      const sent = text(20, 'delete')
      await stage.send(topic, sent.slice(0, 10))
      await stage.send(topic, sent.slice(10))
      const start = async () => (await stage.ask('offsetAt', { topic, partition: 0, at: 'start' })).offset
      await stage.ask('deleteRecords', { topic, partition: 0, before: 13 }) // in the middle of a batch
      stage.same([await start(), await stage.end(topic)], [13, 20])
      stage.same(records(await stage.read(topic, 7)), shown(sent.slice(13)))
      await stage.ask('deleteRecords', { topic, partition: 0, before: -1 })
      stage.same(await start(), 20, '-1 is the high watermark')
      await stage.refused(stage.ask('deleteRecords', { topic, partition: 0, before: 21 }), 'OFFSET_OUT_OF_RANGE')
    },
  ),
}
