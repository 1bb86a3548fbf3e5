// kafka-transactions: what is open, whose it is, and the end of one that hangs.
import { packed } from '../../hand.ts'
import type { Parts } from '../../play.ts'
import { until } from '../../process.ts'
import { fresh, text } from '../../records.ts'
import type { Beside } from '../beside.ts'
import type { Console } from './tools.ts'

export function transactionParts(kafka: Console, { hand }: Beside) {
  /** Rows of a table of the tool, by the name of their columns. */
  async function table(...args: string[]): Promise<{ [column: string]: string }[]> {
    const [head, ...rows] = (await kafka.run('transactions', args)).trimEnd().split('\n')
    const columns = head!.split('\t').map((name) => name.trim())
    return rows.map((row) => {
      const cells = row.split('\t').map((cell) => cell.trim())
      return Object.fromEntries(columns.map((name, i) => [name, cells[i] ?? '']))
    })
  }

  async function begin(topic: string, transactionalId: string): Promise<void> {
    await hand.ask('openProducer', { producer: transactionalId, transactionalId })
    await hand.ask('beginTransaction', { producer: transactionalId })
    const records = text(3, 'open').map((record) => ({ ...packed(record), partition: 0 }))
    await hand.ask('produce', { producer: transactionalId, topic, records })
  }

  async function lastStable(topic: string): Promise<number> {
    const place = { topic, partition: 0, at: 'end', isolation: 'read_committed' } as const
    return (await hand.ask('offsetAt', place)).offset
  }

  return {
    'txn.describe': async (t) => {
      const topic = fresh('console-txn')
      const transactionalId = `${topic}-id`
      await hand.ask('createTopic', { topic, partitions: 1 })
      await begin(topic, transactionalId)
      const listed = (await table('list')).find((row) => row['TransactionalId'] === transactionalId)
      t.equal(listed?.['TransactionState'], 'Ongoing')
      const [described] = await table('describe', '--transactional-id', transactionalId)
      t.match(described, { TransactionState: 'Ongoing', TopicPartitions: `${topic}-0` })
      const [producer] = await table('describe-producers', '--topic', topic, '--partition', '0')
      t.match(producer, { ProducerId: described!['ProducerId'], LastSequence: '2', CurrentTransactionStartOffset: '0' })
      await hand.ask('commitTransaction', { producer: transactionalId })
      await until('it is complete', async () => {
        const [now] = await table('describe', '--transactional-id', transactionalId)
        return now!['TransactionState'] === 'CompleteCommit'
      })
      const [after] = await table('describe-producers', '--topic', topic, '--partition', '0')
      t.equal(after!['CurrentTransactionStartOffset'], 'None')
      await hand.ask('closeProducer', { producer: transactionalId })
    },

    'txn.abort': async (t) => {
      const topic = fresh('console-abort')
      await hand.ask('createTopic', { topic, partitions: 1 })
      await begin(topic, `${topic}-id`)
      t.equal(await lastStable(topic), 0, 'the open transaction holds readers back')
      await kafka.run('transactions', ['abort', '--topic', topic, '--partition', '0', '--start-offset', '0'])
      t.equal(await lastStable(topic), 4, 'the tool wrote the marker')
      const found = await kafka.run('transactions', ['find-hanging', '--topic', topic])
      t.notMatch(found, new RegExp(`${topic}\\s`), 'nothing hangs any more')
      await hand.ask('closeProducer', { producer: `${topic}-id` })
    },
  } satisfies Parts
}
