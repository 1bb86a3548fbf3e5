// Who knows what, as stock clients meet it: repeated merges, merges through siblings, forged headers, transactions that are open
// (B32, B47, B49, B63). The same rules are held against a model in merge-model.test.ts.

import { expect, test } from 'vitest'
import { listTransactions } from '../../protocol/messages/66-list-transactions.ts'
import { WireClient } from '../wire-client.ts'
import { Stage } from './stage.ts'

const compacted = { 'cleanup.policy': 'compact' }

class Lives {
  readonly stage: Stage
  #merges = 0

  constructor(stage: Stage) {
    this.stage = stage
  }

  async write(topic: string, key: string, value: string): Promise<void> {
    await this.stage.send(topic, [{ key, value }])
  }

  async merge(from: string, into: string, more: Record<string, unknown> = {}) {
    const event = await this.stage.run({ op: 'merge', id: `m${++this.#merges}`, from, into, ...more })
    const keys = (event['keys'] ?? []) as { key: string; kind: string }[]
    return { ...event.counts!, keys: keys.map(({ key, kind }) => `${key} ${kind}`) }
  }

  /** Newest values, of all that readers of committed data are given. */
  async state(topic: string, count: number): Promise<Record<string, string>> {
    const records = await this.stage.read(topic, count)
    return Object.fromEntries(records.map(({ key, value }) => [String(key), String(value)]))
  }
}

test('B47: what the source has never seen is not overwritten, though the two were merged since', async () => {
  await using stage = await Stage.open()
  const lives = new Lives(stage)
  await stage.create('P', 1, compacted)
  await lives.write('P', 'k', '0')
  await stage.fork('P', 'C')
  await lives.write('P', 'k', '1')
  await lives.write('C', 'j', '5')
  expect(await lives.merge('C', 'P')).toMatchObject({ written: 1, conflicts: 0 })
  await lives.write('C', 'k', '2')
  expect(await lives.merge('C', 'P')).toMatchObject({ written: 0, keys: ['k edit/edit'] })
  // In the other direction as well, and after merges in both.
  expect(await lives.merge('P', 'C')).toMatchObject({ written: 0, keys: ['k edit/edit'] })
  expect(await lives.merge('P', 'C', { onConflict: 'theirs' })).toMatchObject({ written: 1 })
  expect(await lives.merge('C', 'P')).toMatchObject({ written: 0, conflicts: 0 })
  expect(await lives.state('C', 4)).toEqual({ k: '1', j: '5' })
})

test('B47: the same through a sibling', async () => {
  await using stage = await Stage.open()
  const lives = new Lives(stage)
  await stage.create('P', 1, compacted)
  await lives.write('P', 'k', '0')
  for (const name of ['C1', 'C2']) await stage.fork('P', name)
  await lives.write('C1', 'k', '1')
  await lives.merge('C1', 'P')
  await lives.merge('P', 'C2')
  await lives.write('C2', 'k', '2')
  await lives.write('C1', 'k', '3')
  expect(await lives.merge('C2', 'C1')).toMatchObject({ keys: ['k edit/edit'] })
  expect(await lives.merge('C2', 'P')).toMatchObject({ written: 1, conflicts: 0 })
  expect(await lives.merge('C1', 'P')).toMatchObject({ keys: ['k edit/edit'] })
})

test('B47: the same after merges in both directions: what was seen is written over, what came since is not', async () => {
  await using stage = await Stage.open()
  const lives = new Lives(stage)
  await stage.create('P', 1, compacted)
  await stage.fork('P', 'C')
  await lives.write('P', 'k', '1')
  await lives.write('C', 'j', '5')
  expect(await lives.merge('C', 'P')).toMatchObject({ written: 1, conflicts: 0 })
  expect(await lives.merge('P', 'C')).toMatchObject({ written: 1, conflicts: 0 })
  // C has seen k=1 by now.
  await lives.write('C', 'k', '2')
  expect(await lives.merge('C', 'P')).toMatchObject({ written: 1, conflicts: 0 })
  await lives.write('P', 'k', '3')
  await lives.write('C', 'k', '4')
  for (const [from, into] of [['C', 'P'] as const, ['P', 'C'] as const])
    expect(await lives.merge(from, into)).toMatchObject({ written: 0, keys: ['k edit/edit'] })
  expect(await lives.state('P', 4)).toEqual({ k: '3', j: '5' })
  expect(await lives.state('C', 4)).toEqual({ k: '4', j: '5' })
})

test('B32: back and forth ten times brings no echo, and either order the same', async () => {
  const states = []
  for (const order of [
    ['C1', 'C2'],
    ['C2', 'C1'],
  ]) {
    await using stage = await Stage.open()
    const lives = new Lives(stage)
    await stage.create('P', 1, compacted)
    await lives.write('P', 'a', '0')
    for (const name of order) await stage.fork('P', name)
    await lives.write('C1', 'a', '1')
    await lives.write('C2', 'b', '2')
    for (const name of order) expect(await lives.merge(name, 'P')).toMatchObject({ written: 1, conflicts: 0 })
    for (const name of order) await lives.merge('P', name)
    const { high } = (await stage.ends('P'))[0]!
    for (let i = 0; i < 10; i++) {
      for (const name of order) {
        expect(await lives.merge(name, 'P')).toMatchObject({ written: 0 })
        expect(await lives.merge('P', name)).toMatchObject({ written: 0 })
      }
    }
    expect((await stage.ends('P'))[0]!.high).toBe(high)
    states.push(await lives.state('P', 3))
  }
  expect(states[0]).toEqual({ a: '1', b: '2' })
  expect(states[1]).toEqual(states[0])
})

test('B49: headers that a client has forged make no difference, and after two hops each of ours is there once', async () => {
  await using stage = await Stage.open()
  const lives = new Lives(stage)
  await stage.create('P', 1, compacted)
  await lives.write('P', 'k', '0')
  for (const name of ['C', 'D']) await stage.fork('P', name)
  const { 'branch.from.id': id } = await stage.branchConfigs('C')
  const headers = { 'branch.origin': `${id}:0:0`, 'branch.src': 'P:0:0', 'branch.merge': 'never', trace: 't' }
  await stage.send('C', [{ key: 'k', value: 'c', headers }])
  await lives.write('P', 'k', 'p')
  expect(await lives.merge('C', 'P')).toMatchObject({ keys: ['k edit/edit'] })
  expect(await lives.merge('C', 'P', { onConflict: 'theirs' })).toMatchObject({ written: 1 })
  expect(await lives.merge('P', 'D')).toMatchObject({ written: 1 })
  const hops = (await stage.read('D', 2)).at(-1)!
  const branch = Object.entries(hops.headers!).map(([name, value]) => [name, String(value)])
  expect(branch).toEqual([
    ['trace', 't'],
    ['branch.merge', 'm3'],
    ['branch.src', 'P:0:2'],
    ['branch.origin', expect.stringMatching(/^[\w-]{22}:0:1$/)],
  ])
  // Of the branch, not of the parent that it came by.
  expect(branch.at(-1)![1]).not.toContain(id)
  expect(await lives.merge('D', 'C')).toMatchObject({ written: 0, conflicts: 0 })
})

test('B63: an open transaction of the source waits with all behind it; one of the target is a conflict', async () => {
  await using stage = await Stage.open()
  const lives = new Lives(stage)
  await stage.create('P', 1, compacted)
  await stage.fork('P', 'C')
  const producer = stage.kafka.producer({ transactionalId: 't', idempotent: true, maxInFlightRequests: 1 })
  await producer.connect()
  await lives.write('C', 'a', '1')
  const first = await producer.transaction()
  await first.send({ topic: 'C', messages: [{ key: 'b', value: '1' }] })
  await lives.write('C', 'c', '1')
  expect(await lives.merge('C', 'P')).toMatchObject({ written: 1 })
  await first.commit()
  const second = await producer.transaction()
  await second.send({ topic: 'P', messages: [{ key: 'b', value: '2' }] })
  expect(await lives.merge('C', 'P')).toMatchObject({ written: 0, keys: ['b open-transaction'] })
  await second.abort()
  expect(await lives.merge('C', 'P')).toMatchObject({ written: 2, conflicts: 0 })
  expect(await lives.state('P', 3)).toEqual({ a: '1', b: '1', c: '1' })
  await producer.disconnect()
  const wire = await WireClient.open(stage.broker.bootstrapServers)
  const { transactionStates } = await wire.ask(listTransactions, 1, {
    stateFilters: [],
    producerIdFilters: [],
    durationFilter: -1,
  })
  // The broker's own is nobody's business.
  expect(transactionStates.map(({ transactionalId }) => transactionalId)).toEqual(['t'])
  wire.close()
})

test.each(['resolve', 'merge'])(
  'a conflict that is decided late (%s) reaches those who heard of both sides before',
  async (op) => {
    await using stage = await Stage.open()
    const lives = new Lives(stage)
    await stage.create('P', 1, compacted)
    await lives.write('P', 'k', '0')
    for (const name of ['C', 'D']) await stage.fork('P', name)
    await lives.write('C', 'k', 'c')
    await lives.write('P', 'k', 'p')
    expect(await lives.merge('C', 'P', { onConflict: 'park' })).toMatchObject({ written: 0, conflicts: 1 })
    expect(await lives.merge('P', 'D')).toMatchObject({ written: 1 })
    const key = { topic: 'P', partition: 0, key: 'k', take: 'theirs' }
    if (op === 'resolve') await stage.run({ op, id: 'r1', merge: 'm1', ...key })
    else expect(await lives.merge('C', 'P', { onConflict: 'theirs' })).toMatchObject({ written: 1 })
    expect(await lives.state('P', 3)).toEqual({ k: 'c' })
    expect(await lives.merge('P', 'D')).toMatchObject({ written: 1, conflicts: 0 })
    expect(await lives.state('D', 3)).toEqual({ k: 'c' })
    expect(await lives.merge('D', 'P')).toMatchObject({ written: 0, conflicts: 0 })
    if (op === 'resolve') expect(await lives.merge('P', 'C')).toMatchObject({ written: 0, conflicts: 0 })
    expect(await stage.run({ op: 'plan', id: 'p1', from: 'C', into: 'P' })).toMatchObject({ counts: { conflicts: 0 } })
  },
)

test('what a conflict is resolved for reaches a branch that has had it all along and gave it up meanwhile', async () => {
  await using stage = await Stage.open()
  const lives = new Lives(stage)
  await stage.create('P', 1, compacted)
  await stage.fork('P', 'C')
  await lives.write('P', 'k', 'p')
  await lives.write('C', 'k', 'c')
  await stage.fork('P', 'D')
  expect(await lives.merge('D', 'C', { onConflict: 'park' })).toMatchObject({ written: 0, conflicts: 1 })
  // C has heard of k=p by D, and its own value takes the place of that in P.
  expect(await lives.merge('C', 'P', { onConflict: 'theirs' })).toMatchObject({ written: 1 })
  await stage.run({ op: 'resolve', id: 'r1', merge: 'm1', topic: 'C', partition: 0, key: 'k', take: 'theirs' })
  expect(await lives.merge('D', 'C')).toMatchObject({ written: 0, conflicts: 0 })
  expect(await lives.merge('C', 'P', { onConflict: 'fail' })).toMatchObject({ written: 1, conflicts: 0 })
  expect(await lives.state('P', 3)).toEqual({ k: 'p' })
  // D has what was chosen, and nobody else is told again.
  for (const [from, into] of [
    ['C', 'D'],
    ['P', 'C'],
    ['C', 'P'],
  ] as const) {
    expect(await lives.merge(from, into), `${from} into ${into}`).toMatchObject({ written: 0, conflicts: 0 })
  }
})

/** P and its branch C have written the same key, and C has parked what P wrote. */
async function parkBetween(stage: Stage, lives: Lives): Promise<void> {
  await stage.create('P', 1, compacted)
  await stage.fork('P', 'C')
  await lives.write('P', 'k', 'p')
  await lives.write('C', 'k', 'c')
  expect(await lives.merge('P', 'C', { onConflict: 'park' })).toMatchObject({ written: 0, conflicts: 1 })
}

test('the same where the conflict stood between the two, and a third has told one of them of the other', async () => {
  await using stage = await Stage.open()
  const lives = new Lives(stage)
  await parkBetween(stage, lives)
  await stage.fork('C', 'D')
  expect(await lives.merge('D', 'P')).toMatchObject({ written: 1, conflicts: 0 })
  await stage.run({ op: 'resolve', id: 'r1', merge: 'm1', topic: 'C', partition: 0, key: 'k', take: 'theirs' })
  expect(await lives.merge('C', 'P')).toMatchObject({ written: 1, conflicts: 0 })
  expect(await lives.state('P', 3)).toEqual({ k: 'p' })
})

test('a resolution for the record of the other side is no change for it, nor in the way of what it writes next', async () => {
  await using stage = await Stage.open()
  const lives = new Lives(stage)
  await parkBetween(stage, lives)
  await stage.run({ op: 'resolve', id: 'r1', merge: 'm1', topic: 'C', partition: 0, key: 'k', take: 'theirs' })
  expect(await stage.run({ op: 'plan', id: 'p1', from: 'C', into: 'P' })).toMatchObject({
    counts: { written: 0, same: 0, skipped: 0, conflicts: 0 },
  })
  await lives.write('P', 'k', 'p2')
  expect(await lives.merge('C', 'P')).toMatchObject({ written: 0, conflicts: 0 })
  expect(await lives.merge('P', 'C')).toMatchObject({ written: 1, conflicts: 0 })
  expect(await lives.state('C', 3)).toEqual({ k: 'p2' })
})
