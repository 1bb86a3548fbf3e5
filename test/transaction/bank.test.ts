// Transfers between accounts, each one a transaction over two partitions and a committed offset, committed or aborted at
// random, by producers of before and after KIP-890, while the broker is killed: nobody who reads committed records ever
// sees money that was not moved, or half a transfer.

import { rmSync } from 'node:fs'
import { afterEach, expect, test } from 'vitest'
import { offsetFetch } from '../../protocol/messages/09-offset-fetch.ts'
import { createTopics } from '../../protocol/messages/19-create-topics.ts'
import { built } from '../built.ts'
import { ChildBroker } from '../child-broker.ts'
import { numbersFrom } from '../crash/world.ts'
import { WireClient } from '../wire-client.ts'
import { ask, Gone, readCommitted, WireProducer } from './wire-producer.ts'

const accounts = 6
const topic = 'accounts'
const ledger = 'ledger'

type Transfer = {
  readonly name: string
  readonly from: number
  readonly to: number
  readonly outcome: 'commit' | 'abort'
  /** What the producer was told. */
  told: 'nothing' | 'done'
}

/** Long enough to leave the processors to the broker and the others. */
const aMoment = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5))

let broker: ChildBroker
afterEach(async () => {
  await broker.end('SIGKILL')
  rmSync(broker.root, { recursive: true, force: true })
})

/** The broker is killed, or was while somebody knocked. */
const isAway = (cause: unknown): boolean =>
  cause instanceof Gone || /^(ECONN|EPIPE)/.test((cause as { code?: string }).code ?? '')

class Bank {
  readonly transfers: Transfer[] = []
  /** Values that a reader of committed records has seen, by partition. */
  readonly seen = Array.from({ length: accounts }, () => new Set<string>())
  readonly #positions = new Array<number>(accounts).fill(0)
  requests = 0
  isOpen = true

  /** One producer: transfers until the bank closes, coming back whenever the broker has gone. */
  async work(id: string, bumps: boolean, chance: () => number): Promise<void> {
    while (this.isOpen) {
      let producer: WireProducer | undefined
      try {
        producer = await WireProducer.open(broker.bootstrap, id, { bumps })
        while (this.isOpen) await this.#transfer(producer, id, chance)
      } catch (cause) {
        if (!isAway(cause)) throw cause
        await aMoment()
      } finally {
        producer?.close()
      }
    }
  }

  async #transfer(producer: WireProducer, id: string, chance: () => number): Promise<void> {
    const from = Math.floor(accounts * chance())
    const to = (from + 1 + Math.floor((accounts - 1) * chance())) % accounts
    const number = this.transfers.length + 1
    const transfer: Transfer = {
      name: `${id}:${number}`,
      from,
      to,
      outcome: chance() < 0.7 ? 'commit' : 'abort',
      told: 'nothing',
    }
    this.transfers.push(transfer)
    this.requests += 4
    await producer.send(topic, from, `${transfer.name} -1`)
    await producer.send(topic, to, `${transfer.name} +1`)
    await producer.sendOffset(`book of ${id}`, ledger, number)
    await producer.end(transfer.outcome)
    transfer.told = 'done'
  }

  /** Reads on, as far as it can be read: everything seen stays seen. */
  async read(client: WireClient): Promise<void> {
    for (let account = 0; account < accounts; account++) {
      const { values, offset } = await readCommitted(client, topic, account, this.#positions[account])
      this.#positions[account] = offset
      for (const value of values) this.seen[account]!.add(value)
    }
  }
}

/** Reads while the others write, over every kill. */
async function watch(bank: Bank): Promise<void> {
  while (bank.isOpen) {
    let client: WireClient | undefined
    try {
      client = await WireClient.open(broker.bootstrap)
      while (bank.isOpen) await bank.read(client)
    } catch (cause) {
      if (!isAway(cause)) throw cause
      await aMoment()
    } finally {
      client?.close()
    }
  }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await aMoment()
}

/** TWIGLOG_KILLS=20 keeps the bank open for longer. */
const killsWanted = Number(process.env['TWIGLOG_KILLS'] ?? 0)

test.each([
  { flushMessages: '1', kills: killsWanted || 3 },
  { flushMessages: '9223372036854775807', kills: killsWanted || 6 },
])(
  'with flush.messages=$flushMessages and $kills kills',
  async ({ flushMessages, kills }) => {
    const seed = Number(process.env['TWIGLOG_SEED'] ?? Date.now() % 1_000_000)
    console.log(`seed of the transfers: ${seed}`)
    const chance = numbersFrom(seed)
    const options = ['--set', `log.flush.interval.messages=${flushMessages}`, '--set', 'offsets.topic.num.partitions=2']
    broker = new ChildBroker(await built('bundle/main.js'), options)
    await broker.start()
    const first = await WireClient.open(broker.bootstrap)
    const topics = [
      { name: topic, numPartitions: accounts, replicationFactor: 1, assignments: [], configs: [] },
      { name: ledger, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] },
    ]
    await ask(first, createTopics, 5, { topics, timeoutMs: 5000, validateOnly: false })
    first.close()

    const bank = new Bank()
    const ids = ['a', 'b', 'c', 'd']
    const busy = [watch(bank), ...ids.map((id, i) => bank.work(id, i % 2 === 0, numbersFrom(seed + i)))]
    for (let kill = 0; kill < kills; kill++) {
      const due = bank.requests + 40 + Math.floor(400 * chance())
      await Promise.race([until(() => bank.requests >= due), Promise.all(busy)])
      await broker.end('SIGKILL')
      broker.expectSound()
      await broker.start()
    }
    const due = bank.requests + 200
    await Promise.race([until(() => bank.requests >= due), Promise.all(busy)])
    bank.isOpen = false
    await Promise.all(busy)

    // Whoever takes over an id finishes what was left open under it.
    for (const id of ids) (await WireProducer.open(broker.bootstrap, id)).close()
    const client = await WireClient.open(broker.bootstrap)
    await bank.read(client)
    const partly: string[] = []
    for (const { name, from, to, outcome, told } of bank.transfers) {
      const [left, came] = [bank.seen[from]!.has(`${name} -1`), bank.seen[to]!.has(`${name} +1`)]
      const isRight =
        left === came && (told === 'nothing' || left === (outcome === 'commit')) && !(left && outcome === 'abort')
      if (!isRight) partly.push(`${name} ${outcome} told ${told}: left ${left}, came ${came}`)
    }
    expect(partly).toEqual([])
    // Read from the start once more: nothing that was seen has gone, nothing has come in between.
    for (let account = 0; account < accounts; account++) {
      const { values } = await readCommitted(client, topic, account)
      expect(values.length).toBe(new Set(values).size)
      expect(new Set(values)).toEqual(bank.seen[account])
    }
    // The offsets went with their transfers.
    for (const id of ids) {
      const committed = bank.transfers.filter(
        ({ name, from }) => name.startsWith(`${id}:`) && bank.seen[from]!.has(`${name} -1`),
      )
      const last = Math.max(-1, ...committed.map(({ name }) => Number(name.split(':')[1])))
      const groups = [{ groupId: `book of ${id}`, topics: [{ name: ledger, partitionIndexes: [0] }] }]
      const answer = await ask(client, offsetFetch, 8, { groups, requireStable: true })
      const { committedOffset, errorCode } = answer.groups[0]!.topics[0]!.partitions[0]!
      expect([id, errorCode, committedOffset]).toEqual([id, 0, last])
    }
    console.log(`${bank.transfers.length} transfers`)
    client.close()
  },
  120_000 + 30_000 * killsWanted,
)
