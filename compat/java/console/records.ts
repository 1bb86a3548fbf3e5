// kafka-console-producer and kafka-console-consumer for text, the Java hand for everything that is not text.
import type { Test } from 'tap'
import type { Part, Parts } from '../../play.ts'
import { until } from '../../process.ts'
import { type Codec, fresh, incompressible, large, record, shapes, shown, text } from '../../records.ts'
import type { Beside } from '../beside.ts'
import type { Console } from './tools.ts'

const parseAll = ['parse.key=true', 'parse.headers=true', 'null.marker=NULL'].flatMap((each) => [
  '--reader-property',
  each,
])
const printAll = ['print.key=true', 'print.headers=true', 'print.offset=true', 'null.literal=NULL'].flatMap((each) => [
  '--formatter-property',
  each,
])

export function recordParts(kafka: Console, beside: Beside) {
  /** Headers, key and value, tab-separated: what the producer reads and, but for the offset, what the consumer prints. */
  const rows = [
    ...text(200, 'console').map(({ key, value }) => `origin:console\t${key}\t${value}`),
    'origin:console,empty:\tkey\ttwo headers, one of them empty',
    'NULL\tkey\tno headers',
    'origin:console\tNULL\tthe key is null',
    'origin:console\tthe value is null\tNULL',
    'origin:console\tthe value is empty\t',
    'origin:console\tbeyond ASCII: ключ 鍵 🔑\tзначение 値 💎',
  ]

  function sending(name: string, ...settings: string[]): Part {
    return async (t) => {
      const topic = fresh(`java-${name}`)
      await kafka.run('producer', ['--topic', topic, ...parseAll, ...settings], rows.map((row) => `${row}\n`).join(''))
      const limits = ['--max-messages', String(rows.length), '--timeout-ms', '20000']
      const read = await kafka.run('consumer', ['--topic', topic, '--from-beginning', ...limits, ...printAll])
      t.same(read.split('\n').slice(0, -1), printed(rows))
      t.equal(await beside.end(topic), rows.length, 'and no more than these')
    }
  }

  function codec(name: Codec): Part {
    return sending(name, '--compression-codec', name)
  }

  function acks(value: string): Part {
    return sending(`acks${value}`, '--request-required-acks', value)
  }

  /** Three batches of ten, a second between two records, so that a place to start at lies inside a batch. */
  async function spaced(name: string) {
    const topic = fresh(`java-${name}`)
    const sent = text(30, name)
    const firstAt = Date.now() - 60_000
    for (const from of [0, 10, 20]) {
      const timestamps = sent.slice(from, from + 10).map((_, i) => firstAt + (from + i) * 1_000)
      await beside.send(topic, sent.slice(from, from + 10), { codec: 'gzip', timestamps })
    }
    return { topic, values: sent.map(({ value }) => String(value)), firstAt }
  }

  async function sameFrom(t: Test, offset: number): Promise<void> {
    const { topic, values } = await spaced(`from${offset}`)
    const place = offset === 0 ? 'earliest' : String(offset)
    const expected = values.slice(offset)
    const limits = ['--max-messages', String(expected.length), '--timeout-ms', '20000']
    const read = await kafka.run('consumer', ['--topic', topic, '--partition', '0', '--offset', place, ...limits])
    t.equal(read, expected.map((value) => `${value}\n`).join(''))
  }

  return {
    'produce.none': codec('none'),
    'produce.gzip': codec('gzip'),
    'produce.snappy': codec('snappy'),
    'produce.lz4': codec('lz4'),
    'produce.zstd': codec('zstd'),
    'produce.acks-0': acks('0'),
    'produce.acks-1': acks('1'),
    'produce.acks-all': acks('all'),

    'produce.shapes': async (t) => {
      const topic = fresh('java-shapes')
      const sent = [...shapes, record('a header without a value', 'v', [['none', null]])]
      t.same(await beside.send(topic, sent), [...sent.keys()])
      const read = await beside.read(topic, 0, sent.length)
      t.same(shown(read.map((each) => each.record)), shown(sent))
    },

    'produce.large': async (t) => {
      const topic = fresh('java-large')
      const sent = [record('before', 'small'), large, record('after', 'small')]
      for (const each of sent) await beside.send(topic, [each])
      const read = await beside.read(topic, 0, sent.length)
      t.same(shown(read.map((each) => each.record)), shown(sent))
    },

    'produce.too-large': async (t) => {
      const topic = fresh('java-too-large')
      await kafka.run('topics', ['--create', '--topic', topic, '--config', 'max.message.bytes=10000'])
      const refused = beside.send(topic, [record('large', incompressible(20_000))])
      await t.rejects(refused, /MESSAGE_TOO_LARGE/)
      t.same(await beside.send(topic, [record('small', 'small')]), [0], 'only the small one is there')
    },

    'produce.idempotent': async (t) => {
      const topic = fresh('java-idempotent')
      const sent = text(2_000, 'idempotent')
      const many = { idempotent: true, batchBytes: 2_000 }
      t.same(await beside.send(topic, sent, many), [...sent.keys()], 'each record is acknowledged with its own offset')
      const read = await beside.read(topic, 0, sent.length)
      t.same(shown(read.map((each) => each.record)), shown(sent))
    },

    'consume.start': async (t) => sameFrom(t, 0),
    'consume.offset': async (t) => sameFrom(t, 17),

    'consume.end': async (t) => {
      const { topic } = await spaced('end')
      const settings = ['--formatter-property', 'print.offset=true']
      const reader = kafka.start('consumer', ['--topic', topic, '--partition', '0', '--offset', 'latest', ...settings])
      // The tool does not say when it has found the end, so later records are sent until one of them comes.
      await until('a later record came', async () => {
        await beside.send(topic, [record('later', 'later')])
        return reader.stdout.includes('\n')
      })
      const end = await beside.end(topic)
      await until('all of them came', () => reader.stdout.includes(`Offset:${end - 1}\t`))
      const read = (await reader.stop()).stdout.toString().trim().split('\n')
      const first = Number(/^Offset:(\d+)\t/.exec(read[0]!)?.[1])
      t.ok(first >= 30, `nothing older than the end came: the first was ${read[0]}`)
      t.same(
        read,
        Array.from({ length: end - first }, (_, i) => `Offset:${first + i}\tlater`),
      )
    },

    'consume.timestamp': async (t) => {
      const { topic, values, firstAt } = await spaced('timestamp')
      const offsetAt = (time: number | string) => kafka.run('offsets', ['--topic', topic, '--time', String(time)])
      t.equal(await offsetAt(firstAt + 14_000), `${topic}:0:14\n`, 'the very millisecond')
      t.equal(await offsetAt(firstAt + 14_001), `${topic}:0:15\n`, 'between two records: the later one')
      t.equal(await offsetAt('max-timestamp'), `${topic}:0:29\n`, 'the youngest record')
      const read = await beside.read(topic, 15, 15)
      t.same(
        read.map((each) => String(each.record.value)),
        values.slice(15),
      )
      t.same(
        read.map(({ timestamp }) => timestamp),
        values.slice(15).map((_, i) => firstAt + (15 + i) * 1_000),
      )
    },
  } satisfies Parts
}

function printed(rows: readonly string[]): string[] {
  return rows.map((row, offset) => {
    const [headers, key, value] = row.split('\t')
    return [`Offset:${offset}`, headers === 'NULL' ? 'NO_HEADERS' : headers, key, value].join('\t')
  })
}
