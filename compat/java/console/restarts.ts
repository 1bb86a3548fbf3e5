// kafka-console-producer while the broker stops, or is killed, and comes back.
import type { BrokerUnderTest, StopSignal } from '../../broker.ts'
import { linesAcross } from '../../lines-across.ts'
import type { Part } from '../../play.ts'
import { fresh } from '../../records.ts'
import type { Beside } from '../beside.ts'
import type { Console } from './tools.ts'

export function restartParts(kafka: Console, beside: Beside, broker: BrokerUnderTest) {
  function across(signal: StopSignal): Part {
    if (broker.restartSkip) return broker.restartSkip
    return async (t) => {
      const topic = fresh(`java-restart-${signal}`)
      await kafka.run('topics', ['--create', '--topic', topic])
      // The tool itself collects for a second, so hardly anything would be under way, and gives up after three tries; acks=all and
      // idempotence are its defaults.
      const patient = ['--timeout', '2', '--message-send-max-retries', '100000']
      const producer = kafka.start('producer', ['--topic', topic, ...patient])
      const sentCount = await linesAcross(
        producer,
        () => beside.end(topic),
        () => broker.restart(signal),
      )
      const { code, stderr } = await producer.ended
      t.equal(code, 0, stderr)
      const limits = ['--max-messages', String(sentCount), '--timeout-ms', '20000']
      const read = await kafka.run('consumer', ['--topic', topic, '--from-beginning', ...limits])
      t.same(read.split('\n').slice(0, -1).map(Number), [...Array(sentCount).keys()])
      t.equal(await beside.end(topic), sentCount, 'and no more than these')
    }
  }

  return { 'restart.SIGTERM': across('SIGTERM'), 'restart.SIGKILL': across('SIGKILL') }
}
