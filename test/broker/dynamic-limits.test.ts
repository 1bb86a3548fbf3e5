// What a running broker refuses to become, as Kafka 4.4.0 was seen to.

import { expect, test } from 'vitest'
import { Refusal } from '../../protocol/errors.ts'
import { BrokerConfig } from '../../src/broker/broker-config.ts'

const isTaken = (name: string, value: string): boolean =>
  !(new BrokerConfig().alter('1', [{ name, configOperation: 0, value }]) instanceof Refusal)

test.each([
  ['num.io.threads', ['4', '8', '16'], ['3', '17']],
  ['num.network.threads', ['1', '2', '6'], ['7', ' 77 ']],
  ['log.cleaner.threads', ['1', '2'], ['0', '3']],
  ['background.threads', ['5', '20'], ['4', '21']],
  ['max.connections', ['1'], ['0', '-0']],
  ['max.connections.per.ip', ['1'], ['0']],
  ['max.connections.per.ip.overrides', ['', '127.0.0.1:5', 'a:1,b:2'], ['none', '*', 'a:', 'a b']],
  ['max.connection.creation.rate', ['1'], ['0']],
  ['log.roll.ms', ['1'], ['0', '-1']],
  ['log.roll.jitter.ms', ['0'], ['-1']],
  ['log.cleaner.dedupe.buffer.size', ['2097152'], ['-1', '1048576']],
  ['log.local.retention.ms', ['-2', '0', '1000'], ['-1', '2147483647']],
  ['log.remote.copy.lag.ms', ['-1', '0'], ['2147483647']],
  ['group.consumer.assignment.interval.ms', ['0', '15000'], ['32768']],
  ['group.share.assignment.interval.ms', ['0', '15000'], ['32768']],
  ['group.streams.assignment.interval.ms', ['0', '15000'], ['32768']],
  ['cordoned.log.dirs', ['', '*'], ['x', '*,x']],
  ['log.cleanup.policy', ['compact', 'compact,delete'], ['compact,compact']],
  ['config.providers', ['', 'a,,b', 'a,a'], []],
  ['metric.reporters', ['org.apache.kafka.common.metrics.JmxReporter', ''], ['x', 'a,b']],
  ['principal.builder.class', [], ['x', '']],
])('%s may become %j, and not %j', (name, good, bad) => {
  expect(good.filter((value) => !isTaken(name, value))).toEqual([])
  expect(bad.filter((value) => isTaken(name, value))).toEqual([])
})

test('what an option was changed to before is not held against later changes', () => {
  const config = new BrokerConfig()
  const add = (name: string, value: string) => {
    const next = config.alter('1', [{ name, configOperation: 0, value }])
    if (!(next instanceof Refusal)) config.fromRecord('1', next)
    return !(next instanceof Refusal)
  }
  expect(add('log.local.retention.ms', '1000000')).toBe(true)
  expect(add('log.retention.ms', '1000')).toBe(true)
  expect(add('num.io.threads', '16')).toBe(true)
  expect(add('num.io.threads', '32')).toBe(true)
})
