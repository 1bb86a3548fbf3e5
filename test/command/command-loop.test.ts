// The loop over commands where the disk does not take what is told: nothing is done twice, and nothing is skipped.

import { expect, test } from 'vitest'
import { encodeBatch } from '../../protocol/records/builder.ts'
import type { BranchEvent } from '../../src/branch/events.ts'
import { jsonTopics } from '../../src/branch/json-topics.ts'
import { Broker } from '../../src/broker/broker.ts'
import { BrokerConfig } from '../../src/broker/broker-config.ts'
import { CommandLoop } from '../../src/command/command-loop.ts'
import type { History } from '../../src/command/history.ts'
import { type Clock, systemClock } from '../../src/storage/clock.ts'
import { MemoryStore } from '../../src/storage/memory-file.ts'

/** Timers fire at once: the loop does not wait before it tries again. */
const clock: Clock = {
  ...systemClock,
  after: (_, task) => {
    const handle = setImmediate(task)
    return { cancel: () => clearImmediate(handle) }
  },
}

test('a fork whose event cannot be written is told as soon as it can be, and is not made a second time', async () => {
  const broker = new Broker({ store: new MemoryStore(), clock, config: new BrokerConfig(new Map()) })
  const [topic] = await broker.createTopics([jsonTopics[0]])
  const commands = ['f1', 'f2'].map((id) => ({ value: JSON.stringify({ op: 'fork', id, from: 'a', to: id }) }))
  topic!.partitions[0]!.appendOwn(encodeBatch({ records: commands }))
  await topic!.partitions[0]!.flush()

  const made: string[] = []
  const told: string[] = []
  let refusals = 3
  const write = async (event: BranchEvent) => {
    if (refusals-- > 0) throw new Error('the disk is full')
    told.push(event.id)
    return event
  }
  const eventOf = (id: string): BranchEvent => ({ v: 1, type: 'fork', id, at: 0, by: '', status: 'done' })
  const history = {
    nextCommand: 0,
    expect: () => {},
    result: () => undefined,
    hasResult: (id: string) => told.includes(id),
    write,
  } as unknown as History
  let end = () => {}
  const ended = new Promise<void>((resolve) => {
    end = resolve
  })
  const loop = new CommandLoop({
    broker,
    history,
    operations: {
      // As History.tell does it: what is true is not undone because it could not be told.
      fork: async ({ id }) => {
        made.push(id)
        await write(eventOf(id)).catch(() => {})
        if (id === 'f2') end()
        return eventOf(id)
      },
    },
    untold: async (id) => (made.includes(id) ? eventOf(id) : undefined),
    forbidden: () => undefined,
  })
  loop.attend()
  await ended
  await loop.stop()
  await broker.close()
  expect(made).toEqual(['f1', 'f2'])
  expect(told).toEqual(['f1', 'f2'])
})
