// Stock clients are in a set when the broker is killed, by the set's listener and by their client id: they go on where they were.

import { Kafka, logLevel } from 'kafkajs'
import { afterEach, expect, test } from 'vitest'
import type { BranchEvent } from '../../src/branch/events.ts'
import { eventually } from '../eventually.ts'
import { ChildStage } from './child-stage.ts'

let stage: ChildStage
afterEach(() => stage.close())

const clientAt = (bootstrap: string, clientId: string) =>
  new Kafka({
    brokers: [bootstrap],
    clientId,
    logLevel: logLevel.NOTHING,
    retry: { initialRetryTime: 50, maxRetryTime: 200, retries: 200 },
  })

/** Has a command run, and answers its result. */
async function run(command: { id: string; [field: string]: unknown }): Promise<BranchEvent> {
  await stage.withAdmin((admin) => admin.fetchTopicMetadata({ topics: ['__branch_commands', '__branches'] }))
  await stage.send('__branch_commands', JSON.stringify(command))
  const idOf = (value: string) => (JSON.parse(value) as BranchEvent).id
  const values = await stage.read('__branches', (all) => all.some((value) => idOf(value) === command.id))
  return JSON.parse(values.find((value) => idOf(value) === command.id)!)
}

const doors = {
  'its listener': (bootstrap: string) => clientAt(bootstrap, 'app'),
  'a client id': () => clientAt(stage.broker.bootstrap, 'app--branch--S--'),
}

test.each(Object.keys(doors) as (keyof typeof doors)[])(
  'B46: a consumer and a producer that came in by %s go on through a kill -9, and every group is where it was',
  { timeout: 60_000 },
  async (door) => {
    stage = await ChildStage.open()
    await stage.withAdmin((admin) => admin.createTopics({ topics: [{ topic: 'orders', numPartitions: 1 }] }))
    await stage.send('orders', 'one', 'two', 'three')
    expect(await run({ op: 'fork', id: 'f', set: 'S', from: '*' })).toMatchObject({ status: 'done' })
    const bootstrap = String((await run({ op: 'listen', id: 'l', set: 'S' }))['bootstrap'])
    const kafka = doors[door](bootstrap)
    const [admin, producer] = [kafka.admin(), kafka.producer()]
    const consumer = kafka.consumer({ groupId: 'readers', maxWaitTimeInMs: 100, sessionTimeout: 6_000 })
    try {
      await Promise.all([admin.connect(), producer.connect(), consumer.connect()])
      await admin.createTopics({ topics: [{ topic: 'made', numPartitions: 1 }] })
      // KafkaJS takes five seconds for each.
      await Promise.all([
        admin.setOffsets({ groupId: 'resting', topic: 'orders', partitions: [{ partition: 0, offset: '1' }] }),
        // Of the same name outside, and somewhere else.
        stage.withAdmin((outside) =>
          outside.setOffsets({ groupId: 'readers', topic: 'orders', partitions: [{ partition: 0, offset: '2' }] }),
        ),
      ])
      const given: string[] = []
      await consumer.subscribe({ topic: 'orders', fromBeginning: true })
      await consumer.run({
        autoCommitThreshold: 1,
        eachMessage: async ({ message }) => void given.push(String(message.value)),
      })
      await producer.send({ topic: 'orders', messages: [{ value: 'mine' }] })
      await eventually(async () => expect(await committed('readers')).toBe(4))
      await stage.kill()
      await producer.send({ topic: 'orders', messages: [{ value: 'later' }] })
      await eventually(async () => expect(await committed('readers')).toBe(5))
      expect(given).toEqual(['one', 'two', 'three', 'mine', 'later'])
      expect(await committed('resting')).toBe(1)
      expect((await admin.listTopics()).sort()).toEqual(['made', 'orders'])
      expect((await admin.listGroups()).groups.map(({ groupId }) => groupId).sort()).toEqual(['readers', 'resting'])
      await stage.withAdmin(async (outside) => {
        const [found] = await outside.fetchOffsets({ groupId: 'readers', topics: ['orders'] })
        expect(found!.partitions).toMatchObject([{ offset: '2' }])
        expect((await outside.listGroups()).groups.map(({ groupId }) => groupId)).not.toContain('resting')
      })
      const isEnough = ({ length }: readonly string[]) => length === 3
      expect(await stage.read('orders', isEnough)).toEqual(['one', 'two', 'three'])

      async function committed(groupId: string): Promise<number> {
        const [found] = await admin.fetchOffsets({ groupId, topics: ['orders'] })
        return Number(found!.partitions[0]!.offset)
      }
    } finally {
      await Promise.allSettled([consumer.disconnect(), producer.disconnect(), admin.disconnect()])
    }
  },
)
