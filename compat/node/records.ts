// Producing in every way KafkaJS can, and reading from every place it can start at.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import { until } from '../process.ts'
import { type Codec, incompressible, large, record, shapes, shown, text } from '../records.ts'
import type { Part, Parts } from '../scenarios.ts'
import { type Client, refusal } from './client.ts'
import { compressionOf, plugIn } from './codecs.ts'

export async function recordParts(client: Client) {
  const without = await plugIn()

  function codec(name: Codec): Part {
    return (
      without[name] ??
      (async (t) => {
        const topic = await client.createTopic(name)
        const sent = [...text(200, name), ...shapes]
        await client.send(topic, sent.slice(0, 150), { compression: compressionOf[name] })
        await client.send(topic, sent.slice(150), { compression: compressionOf[name] })
        t.equal(await client.endOffset(topic), sent.length)
        t.same(shown(await client.read(topic, sent.length)), shown(sent))
      })
    )
  }

  function acks(value: number): Part {
    return async (t) => {
      const topic = await client.createTopic(`acks${value}`)
      const sent = text(50, `acks ${value}`)
      await client.send(topic, sent, { acks: value })
      t.same(shown(await client.read(topic, sent.length)), shown(sent))
      t.equal(await client.endOffset(topic), sent.length)
    }
  }

  /** A topic of three batches of ten, a second between two records, so that every place to start at lies inside a batch. */
  async function spaced(name: string) {
    const topic = await client.createTopic(name)
    const sent = text(30, name)
    const firstAt = Date.now() - 60_000
    for (const from of [0, 10, 20]) {
      const timestamps = sent.slice(from, from + 10).map((_, i) => firstAt + (from + i) * 1_000)
      await client.send(topic, sent.slice(from, from + 10), { timestamps, compression: compressionOf.gzip })
    }
    return { topic, sent, firstAt }
  }

  async function offsetAt(topic: string, timestamp: number): Promise<number> {
    return Number((await client.admin.fetchTopicOffsetsByTimestamp(topic, timestamp))[0]!.offset)
  }

  async function sameFrom(t: Test, offset: number): Promise<void> {
    const { topic, sent } = await spaced(`from${offset}`)
    const expected = sent.slice(offset)
    t.same(shown(await client.read(topic, expected.length, { fromOffset: String(offset) })), shown(expected))
  }

  return {
    'produce.none': codec('none'),
    'produce.gzip': codec('gzip'),
    'produce.snappy': codec('snappy'),
    'produce.lz4': codec('lz4'),
    'produce.zstd': codec('zstd'),
    'produce.acks-0': acks(0),
    'produce.acks-1': acks(1),
    'produce.acks-all': acks(-1),

    'produce.shapes': async (t) => {
      const topic = await client.createTopic('shapes')
      await client.send(topic, shapes)
      t.same(shown(await client.read(topic, shapes.length)), shown(shapes))
    },

    'produce.large': async (t) => {
      const topic = await client.createTopic('large')
      const sent = [record('before', 'small'), large, record('after', 'small')]
      await client.send(topic, [sent[0]!])
      await client.send(topic, [large])
      await client.send(topic, [sent[2]!])
      t.same(shown(await client.read(topic, 3)), shown(sent))
    },

    'produce.too-large': async (t) => {
      const topic = await client.createTopic('too-large', 1, { 'max.message.bytes': '10000' })
      const tooLarge = client.send(topic, [record('large', incompressible(20_000))])
      t.match(await refusal(tooLarge), { type: 'MESSAGE_TOO_LARGE' })
      await client.send(topic, [record('small', 'small')])
      t.equal(await client.endOffset(topic), 1, 'only the small one is there')
    },

    'produce.idempotent': async (t) => {
      const topic = await client.createTopic('idempotent')
      const producer = await client.producer({ idempotent: true, maxInFlightRequests: 1 })
      const sent = text(100, 'idempotent')
      for (let from = 0; from < 100; from += 20) {
        const messages = sent.slice(from, from + 20).map(({ key, value }) => ({ key, value, partition: 0 }))
        const [answer] = await producer.send({ topic, acks: -1, messages })
        t.equal(Number(answer!.baseOffset), from, 'the answer carries the offset of the first record')
      }
      t.same(shown(await client.read(topic, 100)), shown(sent))
    },

    'consume.start': async (t) => sameFrom(t, 0),
    'consume.offset': async (t) => sameFrom(t, 17),

    'consume.end': async (t) => {
      const { topic } = await spaced('end')
      const member = await client.member(`${topic}-end`, topic)
      await member.run({ fromBeginning: false })
      await until('the member has taken its place at the end', () => member.fetchCount > 0)
      await client.send(topic, [record('later', 'later')])
      await until('the later record came', () => member.seen.length > 0)
      await sleep(300) // an older record would have come by now
      t.same(shown(member.seen.map((seen) => seen.record)), shown([record('later', 'later')]))
      t.equal(member.seen[0]!.offset, 30)
      await member.leave()
    },

    'consume.timestamp': async (t) => {
      const { topic, sent, firstAt } = await spaced('timestamp')
      t.equal(await offsetAt(topic, firstAt), 0)
      t.equal(await offsetAt(topic, firstAt + 14_000), 14, 'the very millisecond')
      t.equal(await offsetAt(topic, firstAt + 14_001), 15, 'between two records: the later one')
      t.equal(await offsetAt(topic, firstAt + 60_000), 30, 'after the last one: the end')
      const expected = sent.slice(15)
      t.same(shown(await client.read(topic, expected.length, { fromOffset: '15' })), shown(expected))
    },
  } satisfies Partial<Parts>
}
