// A process that ends while a set is given a listener, at every thing that this asks of the disk: whoever was told of an address finds
// the set there after the next start, with its groups where they were.

import { expect, test } from 'vitest'
import { metadata } from '../../protocol/messages/03-metadata.ts'
import { offsetCommit } from '../../protocol/messages/08-offset-commit.ts'
import { offsetFetch } from '../../protocol/messages/09-offset-fetch.ts'
import { FaultyStore } from '../../src/storage/faulty-file.ts'
import { eventually } from '../eventually.ts'
import { WireClient } from '../wire-client.ts'
import { momentsOf } from './moments.ts'
import { numbered, Stage } from './stage.ts'

test('B46: an address that is told is that of the set after any end of the process, and its groups are there', {
  timeout: 120_000,
}, async () => {
  const store = new FaultyStore()
  const stage = await Stage.open({ storage: store })
  await stage.create('orders')
  await stage.send('orders', numbered(5))
  await stage.run({ op: 'fork', id: 'f', set: 'S', from: '*' })
  const inside = await WireClient.open(stage.broker.bootstrapServers, 'app--branch--S--')
  const topics = [{ name: 'orders', partitions: [{ partitionIndex: 0, committedOffset: 3 }] }]
  await inside.ask(offsetCommit, 8, { groupId: 'g', memberId: '', topics })
  inside.close()
  const listen = { op: 'listen', id: 'l', set: 'S' }
  const moments = await momentsOf(store, async () => {
    const { high } = (await stage.ends('__branches'))[0]!
    await stage.command(listen)
    // Looked at without a group, which would write to the disk, too.
    await eventually(async () => expect((await stage.ends('__branches'))[0]!.high).toBe(high + 1))
  })
  const bootstrap = (await stage.event('l'))['bootstrap']
  await stage[Symbol.asyncDispose]()
  const isTold = (name: string) => name.endsWith('the answer')
  expect(moments.length).toBeGreaterThan(5)
  for (const { name, store: left } of moments.filter(({ name: one }) => one.startsWith('kill'))) {
    await using again = await Stage.open({ storage: left })
    const event = await again.run(listen)
    expect(event.status, name).toBe('done')
    if (isTold(name)) expect(event, name).toMatchObject({ bootstrap })
    const within = await WireClient.open(String(event['bootstrap']))
    const listed = await within.ask(metadata, 12, { topics: null })
    expect(
      listed.topics.map((topic) => topic.name),
      name,
    ).toEqual(['orders'])
    const { groups } = await within.ask(offsetFetch, 8, { groups: [{ groupId: 'g', topics: null }] })
    expect(groups[0]!.topics, name).toMatchObject([{ name: 'orders', partitions: [{ committedOffset: 3 }] }])
    within.close()
  }
})
