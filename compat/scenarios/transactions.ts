// Transactions (KIP-98, KIP-890): all or nothing, for records and for a group's progress, and one producer at a time.
import { until } from '../process.ts'
import { record, text } from '../records.ts'
import { restarting, scenario } from '../scenario.ts'
import type { Stage } from '../stage.ts'

const isolation = 'read_committed'

async function transactional(stage: Stage, what: string, options: { transactionTimeoutMs?: number } = {}) {
  const transactionalId = stage.name(`${what}-id`)
  return { transactionalId, producer: await stage.producer({ transactionalId, ...options }) }
}

async function inTransaction(stage: Stage, producer: string, end: 'commit' | 'abort', work: () => Promise<unknown>) {
  await stage.ask('beginTransaction', { producer })
  await work()
  await stage.ask(end === 'commit' ? 'commitTransaction' : 'abortTransaction', { producer })
}

/** What read_committed shows, up to a last record that is committed for this purpose. */
async function committedKeys(stage: Stage, topic: string): Promise<string[]> {
  await stage.send(topic, [record('the end', 'v')])
  const consumer = await stage.consumer(topic, 'start', { isolation })
  await consumer.until('the last record came', () => consumer.seen.at(-1)?.record.key?.toString() === 'the end')
  await consumer.close()
  return consumer.seen.slice(0, -1).map(({ record }) => String(record.key))
}

function keys(label: string, count: number): string[] {
  return text(count, label).map(({ key }) => String(key))
}

export const transactions = {
  'txn.commit': scenario('what a transaction wrote to two partitions is read after the commit', async (stage) => {
    const topic = await stage.topic('commit', 2)
    const { producer } = await transactional(stage, 'commit')
    await inTransaction(stage, producer, 'commit', async () => {
      await stage.produce(producer, topic, text(5, 'zero'), 0)
      await stage.produce(producer, topic, text(5, 'one'), 1)
    })
    for (const partition of [0, 1]) {
      const read = await stage.read(topic, 5, { partition, isolation })
      stage.same(
        read.map(({ record }) => String(record.key)),
        keys(partition === 0 ? 'zero' : 'one', 5),
      )
      stage.same(await stage.end(topic, partition), 6, 'the marker has an offset too')
    }
  }),

  'txn.abort': scenario('what an aborted transaction wrote is never shown by read_committed', async (stage) => {
    const topic = await stage.topic('abort')
    const { producer } = await transactional(stage, 'abort')
    await inTransaction(stage, producer, 'commit', () => stage.produce(producer, topic, text(3, 'first')))
    await inTransaction(stage, producer, 'abort', () => stage.produce(producer, topic, text(3, 'aborted')))
    await inTransaction(stage, producer, 'commit', () => stage.produce(producer, topic, text(3, 'second')))
    stage.same(await committedKeys(stage, topic), [...keys('first', 3), ...keys('second', 3)])
  }),

  'txn.read-uncommitted': scenario('read_uncommitted shows open and aborted records as well', async (stage) => {
    const topic = await stage.topic('uncommitted')
    const { producer } = await transactional(stage, 'uncommitted')
    await stage.ask('beginTransaction', { producer })
    await stage.produce(producer, topic, text(3, 'open'))
    const read = await stage.read(topic, 3, { isolation: 'read_uncommitted' })
    stage.same(
      read.map(({ record }) => String(record.key)),
      keys('open', 3),
    )
    await stage.ask('abortTransaction', { producer })
    stage.same((await stage.read(topic, 3, { isolation: 'read_uncommitted' })).length, 3)
  }),

  'txn.open': scenario('read_committed waits before an open transaction, also for records behind it', async (stage) => {
    const topic = await stage.topic('open')
    const { producer } = await transactional(stage, 'open')
    await stage.send(topic, text(2, 'before'))
    await stage.ask('beginTransaction', { producer })
    await stage.produce(producer, topic, text(2, 'inside'))
    await stage.send(topic, text(2, 'behind'))
    const consumer = await stage.consumer(topic, 'start', { isolation })
    await consumer.until('the first records came', () => consumer.seen.length >= 2)
    for (let i = 0; i < 3; i++) await consumer.poll()
    stage.same(consumer.keys, keys('before', 2), 'nothing more for now')
    if (stage.can('offsetAt', { isolation })) {
      stage.same(
        (await stage.ask('offsetAt', { topic, partition: 0, at: 'end', isolation })).offset,
        2,
        'the last stable offset',
      )
      stage.same(await stage.end(topic), 6, 'the high watermark')
    }
    await stage.ask('commitTransaction', { producer })
    await consumer.until('the others came', () => consumer.seen.length >= 6)
    stage.same(
      consumer.seen.map(({ record }) => String(record.key)),
      [...keys('before', 2), ...keys('inside', 2), ...keys('behind', 2)],
    )
  }),

  'txn.offsets': scenario('a group’s progress is committed or aborted with the transaction', async (stage) => {
    const source = await stage.topic('source')
    const sink = await stage.topic('sink')
    const group = stage.name('offsets-group')
    await stage.send(source, text(10, 'source'))
    const { producer } = await transactional(stage, 'offsets')
    const progress = async () => (await stage.ask('groupOffsets', { group, topic: source })).offsets[0]?.offset
    const pass = async (to: number, end: 'commit' | 'abort') => {
      await inTransaction(stage, producer, end, async () => {
        await stage.produce(producer, sink, text(1, `to ${to}`))
        await stage.ask('sendOffsets', { producer, group, offsets: [{ topic: source, partition: 0, offset: to }] })
      })
    }
    // The answer to the end of a transaction does not wait for the markers.
    await pass(4, 'commit')
    await until('the progress is seen', async () => (await progress()) === 4)
    await pass(9, 'abort')
    stage.same(await progress(), 4, 'the abort takes the progress back')
    await pass(10, 'commit')
    await until('the progress is seen', async () => (await progress()) === 10)
    stage.same(await committedKeys(stage, sink), ['to 4-0', 'to 10-0'])
  }),

  'txn.copy': scenario(
    'a member copies from topic to topic, each batch in a transaction with its offsets',
    async (stage) => {
      const source = await stage.topic('copy-source')
      const sink = await stage.topic('copy-sink')
      const group = stage.name('copy-group')
      const sent = text(60, 'copy')
      for (let from = 0; from < 60; from += 10) await stage.send(source, sent.slice(from, from + 10))
      const { producer } = await transactional(stage, 'copy')
      let copied = 0
      for (const half of [30, 60]) {
        const member = await stage.member(group, { topics: [source], isolation })
        await member.until('some came', () => member.seen.length > 0)
        while (copied < half) {
          const batch = member.seen.splice(0, 10)
          if (batch.length > 0) {
            const offset = batch.at(-1)!.offset + 1
            await inTransaction(stage, producer, 'commit', async () => {
              await stage.produce(
                producer,
                sink,
                batch.map((each) => each.record),
              )
              const offsets = [{ topic: source, partition: 0, offset }]
              await stage.ask('sendOffsets', { producer, group, consumer: member.name, offsets })
            })
            copied = offset
          }
          if (batch.length === 0) await member.poll()
        }
        await member.close()
      }
      stage.same(
        await committedKeys(stage, sink),
        sent.map(({ key }) => String(key)),
      )
    },
  ),

  'txn.fencing': scenario(
    'a second producer of the same transactional id fences the first and ends what it had open',
    async (stage) => {
      const topic = await stage.topic('fencing')
      const { producer: first, transactionalId } = await transactional(stage, 'fencing')
      await stage.ask('beginTransaction', { producer: first })
      await stage.produce(first, topic, text(2, 'old'))
      const second = await stage.producer({ transactionalId })
      const stale = stage
        .produce(first, topic, text(2, 'stale'))
        .then(() => stage.ask('commitTransaction', { producer: first }))
      await stage.refused(stale, 'INVALID_PRODUCER_EPOCH', 'PRODUCER_FENCED', 'CLIENT')
      await inTransaction(stage, second, 'commit', () => stage.produce(second, topic, text(2, 'new')))
      stage.same(await committedKeys(stage, topic), keys('new', 2))
    },
  ),

  'txn.timeout': scenario('a transaction that nobody ends is aborted when its time is over', async (stage) => {
    const topic = await stage.topic('timeout')
    const { producer } = await transactional(stage, 'timeout', { transactionTimeoutMs: 1_000 })
    await stage.ask('beginTransaction', { producer })
    await stage.produce(producer, topic, text(2, 'forgotten'))
    stage.same(await committedKeys(stage, topic), [])
    await stage.refused(
      stage.ask('commitTransaction', { producer }),
      'INVALID_PRODUCER_EPOCH',
      'PRODUCER_FENCED',
      'CLIENT',
      'INVALID_TXN_STATE',
    )
  }),

  'txn.empty': scenario('a transaction that wrote nothing is committed, and the next one works', async (stage) => {
    const topic = await stage.topic('empty')
    const { producer } = await transactional(stage, 'empty')
    await inTransaction(stage, producer, 'commit', async () => {})
    await inTransaction(stage, producer, 'abort', async () => {})
    await inTransaction(stage, producer, 'commit', () => stage.produce(producer, topic, text(2, 'something')))
    stage.same(await committedKeys(stage, topic), keys('something', 2))
  }),

  'txn.transfers': scenario(
    'money moves between two accounts on two partitions: no reader of committed data sees half of it',
    async (stage) => {
      const topic = await stage.topic('transfers', 2)
      const { producer } = await transactional(stage, 'transfers')
      for (let i = 0; i < 20; i++) {
        await inTransaction(stage, producer, i % 3 === 2 ? 'abort' : 'commit', async () => {
          await stage.produce(producer, topic, [record(`${i}`, '-10')], 0)
          await stage.produce(producer, topic, [record(`${i}`, '10')], 1)
        })
      }
      const wanted = Array.from({ length: 20 }, (_, i) => i).filter((i) => i % 3 !== 2)
      for (const partition of [0, 1]) {
        const read = await stage.read(topic, wanted.length, { partition, isolation })
        stage.same(
          read.map(({ record }) => Number(record.key)),
          wanted,
        )
      }
    },
  ),

  'txn.describe': scenario('transactions are listed and described, and producers of a partition too', async (stage) => {
    const topic = await stage.topic('describe')
    const { producer, transactionalId } = await transactional(stage, 'describe')
    await stage.ask('beginTransaction', { producer })
    await stage.produce(producer, topic, text(3, 'open'))
    const { transactions } = await stage.ask('listTransactions', {})
    stage.same(transactions.find((each) => each.transactionalId === transactionalId)?.state, 'Ongoing')
    const open = await stage.ask('describeTransaction', { transactionalId })
    stage.same([open.state, open.partitions], ['Ongoing', [{ topic, partition: 0 }]])
    const { producers } = await stage.ask('describeProducers', { topic, partition: 0 })
    stage.same(
      producers.map(({ producerId, lastSequence, openSince }) => [producerId, lastSequence, openSince]),
      [[open.producerId, 2, 0]],
    )
    await stage.ask('commitTransaction', { producer })
    await until('it is complete', async () =>
      (await stage.ask('describeTransaction', { transactionalId })).state.startsWith('CompleteCommit'),
    )
    await stage.refused(
      stage.ask('describeTransaction', { transactionalId: stage.name('never') }),
      'TRANSACTIONAL_ID_NOT_FOUND',
    )
  }),

  'txn.SIGKILL': restarting(
    'kill -9 in the middle of a transaction: the committed is there, the open one can be committed or aborted',
    async (stage) => {
      const topic = await stage.topic('sigkill')
      const { producer, transactionalId } = await transactional(stage, 'sigkill')
      await inTransaction(stage, producer, 'commit', () => stage.produce(producer, topic, text(3, 'committed')))
      await inTransaction(stage, producer, 'abort', () => stage.produce(producer, topic, text(3, 'aborted')))
      await stage.ask('beginTransaction', { producer })
      await stage.produce(producer, topic, text(3, 'across'))
      await stage.broker.restart('SIGKILL')
      await stage.produce(producer, topic, text(3, 'still'))
      await stage.ask('commitTransaction', { producer })
      await stage.ask('beginTransaction', { producer })
      await stage.produce(producer, topic, text(3, 'lost'))
      const next = await stage.producer({ transactionalId })
      await inTransaction(stage, next, 'commit', () => stage.produce(next, topic, text(3, 'next')))
      stage.same(
        await committedKeys(stage, topic),
        ['committed', 'across', 'still', 'next'].flatMap((label) => keys(label, 3)),
      )
    },
  ),
}
