// What a ready broker says: to people, to programs, and to harnesses that wait for the words of others.

import { describe, expect, test } from 'vitest'
import { announcement, type Card, harnessLines, readyLine, renderCard, wantsColour } from '../../src/cli/card.ts'

const card: Card = {
  version: '1.2.3',
  pid: 42,
  nodeId: 7,
  listeners: [
    { name: 'PLAINTEXT', nodeId: 7, host: '127.0.0.1', port: 9092 },
    { name: 'OTHER', nodeId: 7, host: '::1', port: 9093 },
  ],
  dataFolder: '/data',
  storage: 'mapped',
  flush: { messages: 2 ** 63, ms: 2 ** 63 },
  codecs: { crc32c: '@node-rs/crc32', gzip: 'node:zlib', snappy: 'snappyjs' },
  readyMs: 83.7,
}

test('the card in full', () => {
  expect(renderCard(card, false)).toBe(`twiglog 1.2.3 ready in 84 ms

  Kafka     127.0.0.1:9092
  OTHER     [::1]:9093
  Data      /data
  Safety    acknowledged records survive the end of the process; a power failure may take the newest (flush.policy=none)
  Storage   memory-mapped files; native crc32c, gzip; JavaScript snappy

  kcat      kcat -b 127.0.0.1:9092 -t hello -P
  KafkaJS   new Kafka({ brokers: ['127.0.0.1:9092'] })
  Java      kafka-console-producer.sh --bootstrap-server 127.0.0.1:9092 --topic hello
`)
})

test('each node of a cluster has its line', () => {
  const node = (nodeId: number) => ({ name: 'PLAINTEXT', nodeId, host: '127.0.0.1', port: 9085 + nodeId })
  expect(renderCard({ ...card, listeners: [node(7), node(8)] }, false)).toMatch(/Kafka +\S+:9092\n +node 8 +\S+:9093/)
})

describe('what an acknowledgement promises', () => {
  const never = 2 ** 63
  const table: [more: Partial<Card>, words: RegExp][] = [
    [{ dataFolder: undefined }, /lost when the process ends/],
    [{ flush: { messages: 1, ms: never } }, /survive a power failure/],
    [{ flush: { messages: never, ms: 1000 } }, /since the last flush \(every 1000 ms\)/],
    [{ flush: { messages: 10, ms: 50 } }, /\(every 10 records, every 50 ms\)/],
  ]
  test.each(table)('%j', (more, words) => expect(renderCard({ ...card, ...more }, false)).toMatch(words))
})

test('colour is painted only where it is wanted', () => {
  expect(renderCard(card, false)).not.toContain('\x1b')
  expect(renderCard(card, true)).toContain('\x1b[36m127.0.0.1:9092\x1b[0m')
  expect(wantsColour({}, true)).toBe(true)
  expect(wantsColour({}, false)).toBe(false)
  expect(wantsColour({ NO_COLOR: '1' }, true)).toBe(false)
  expect(wantsColour({ NO_COLOR: '' }, true)).toBe(true)
  expect(wantsColour({ FORCE_COLOR: '1', NO_COLOR: '1' }, false)).toBe(true)
  expect(wantsColour({ FORCE_COLOR: '0' }, true)).toBe(false)
})

test('programs get one line of JSON', () => {
  expect(JSON.parse(readyLine(card))).toEqual({ bootstrap: '127.0.0.1:9092', pid: 42 })
  const line = announcement(card, { json: true, compatLogs: false, isTerminal: false, colour: false })
  expect(line.split('\n')).toHaveLength(2)
  expect(JSON.parse(line)).toMatchObject({ bootstrap: '127.0.0.1:9092', pid: 42, data: '/data', readyMs: 84 })
})

describe('harnesses', () => {
  test.each([
    /.*Transitioning from RECOVERY to RUNNING.*/,
    /.*\[KafkaServer id=\d+\] started.*/,
    /.*Kafka Server started.*/,
    /^Successfully started Redpanda!$/m,
    /.*Started Kafka API server.*/,
  ])('find %s exactly once', (words) => {
    expect(
      harnessLines(7)
        .split('\n')
        .filter((line) => words.test(line)),
    ).toHaveLength(1)
  })

  test('read what is no terminal; a terminal shows their lines only if asked to, JSON too', () => {
    const says = (json: boolean, compatLogs: boolean, isTerminal: boolean) =>
      announcement(card, { json, compatLogs, isTerminal, colour: false }).includes('Kafka Server started')
    expect(says(false, false, false)).toBe(true)
    expect(says(false, false, true)).toBe(false)
    expect(says(false, true, true)).toBe(true)
    expect(says(true, false, false)).toBe(false)
    expect(says(true, true, false)).toBe(true)
  })
})
