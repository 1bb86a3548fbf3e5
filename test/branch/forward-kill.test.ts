// A producer that counts its batches lives through a fast-forward and kills of the broker: by the name of a topic it is never told that a
// batch is out of order, nor is one taken for a repetition.

import { afterEach, expect, test } from 'vitest'
import type { BranchEvent } from '../../src/branch/events.ts'
import { ChildStage } from './child-stage.ts'
import { commandAgain, dieAt, momentsOf, openDying } from './dying-stage.ts'
import { numbered } from './stage.ts'

let stage: ChildStage
afterEach(() => stage.close())

test.each(['before', 'behind'])(
  'B52: kill -9 %s the fast-forward, and the producer that wrote to the branch goes on in the parent',
  { timeout: 60_000 },
  async (moment) => {
    stage = await ChildStage.open()
    await stage.withAdmin(async (admin) => {
      await admin.createTopics({ topics: [{ topic: 'P', numPartitions: 1 }] })
      await admin.fetchTopicMetadata({ topics: ['__branch_commands', '__branches'] })
    })
    const producer = stage.kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      retry: { initialRetryTime: 50, maxRetryTime: 200, retries: 200 },
    })
    await producer.connect()
    try {
      const send = async (topic: string, values: readonly string[]) => {
        for (const value of values) await producer.send({ topic, acks: -1, messages: [{ partition: 0, value }] })
      }
      await send('P', numbered(3, 'p'))
      const configEntries = [{ name: 'branch.from', value: 'P' }]
      await stage.withAdmin((admin) =>
        admin.createTopics({ topics: [{ topic: 'C', numPartitions: -1, configEntries }] }),
      )
      await send('C', numbered(20, 'c'))
      if (moment === 'before') await stage.kill()
      const merge = { op: 'merge', id: 'm1', from: 'C', into: 'P', strategy: 'fast-forward' }
      await stage.send('__branch_commands', JSON.stringify(merge))
      let result: BranchEvent | undefined
      await stage.readEach('__branches', (_, { value }) => {
        const event = JSON.parse(String(value)) as BranchEvent
        if (event.type === 'merge') result = event
        return result !== undefined
      })
      expect(result).toMatchObject({ id: 'm1', status: 'committed', counts: { written: 20 } })
      await send('P', ['q0', 'q1'])
      if (moment === 'behind') await stage.kill()
      await send('P', ['q2', 'q3'])
      await send('C', ['d0'])
      await stage.kill()
      await send('P', ['q4'])
      await send('C', ['d1'])
      const both = [...numbered(3, 'p'), ...numbered(20, 'c')]
      const read = (topic: string, last: string) => stage.read(topic, (values) => values.at(-1) === last)
      expect(await read('P', 'q4')).toEqual([...both, ...numbered(5, 'q')])
      expect(await read('C', 'd1')).toEqual([...both, 'd0', 'd1'])
    } finally {
      await producer.disconnect()
    }
  },
)

/** Links, the snapshot of its producers, the record that makes it true, the old folder out of the way and the new one in, the event. */
const moments = ['link', 'link', 'link', 'rename', 'merge', 'gone', 'forward', 'merge']

test('B52: kill -9 in front of everything that a fast-forward does: the target is as it was or as long as the branch, and it is told once', {
  timeout: 120_000,
}, async () => {
  stage = await openDying()
  const prepare = async (into: string) => {
    const from = `${into}--try`
    const configEntries = [{ name: 'branch.from', value: into }]
    await stage.withAdmin((admin) => admin.createTopics({ topics: [{ topic: into, numPartitions: 1 }] }))
    await stage.send(into, ...numbered(3))
    await stage.withAdmin((admin) =>
      admin.createTopics({ topics: [{ topic: from, numPartitions: -1, configEntries }] }),
    )
    await stage.send(from, 'own')
    return { op: 'merge', id: `m-${into}`, from, into, strategy: 'fast-forward' }
  }
  const shown = async (topic: string) => {
    const [end] = await stage.withAdmin((admin) => admin.fetchTopicOffsets(topic))
    return await stage.read(topic, ({ length }) => length === Number(end!.high))
  }
  const [before, after] = [numbered(3), [...numbered(3), 'own']]
  expect(await momentsOf(stage, await prepare('whole'))).toEqual(moments)
  for (const [at, name] of moments.entries()) {
    const merge = await prepare(`P${at}`)
    const done = await dieAt(stage, at, merge)
    await stage.broker.start()
    const what = `in front of ${at}, ${name}: ${done}`
    // What has its record is finished by the start; else it is done anew, for the command is there.
    expect(done.includes('merge') ? [after] : [before, after], what).toContainEqual(await shown(merge.into))
    await commandAgain(stage, merge, 'committed', what)
    expect(await shown(merge.into), what).toEqual(after)
    expect(await shown(merge.from), what).toEqual(after)
  }
})
