// A broker without a network: its rooms joined as in a process, on a store that the test keeps.

import { Broker } from '../../src/broker/broker.ts'
import { BrokerConfig, type Setting } from '../../src/broker/broker-config.ts'
import { InternalTopic } from '../../src/broker/internal-topic.ts'
import { Branches } from '../../src/command/branches.ts'
import { catalogOf } from '../../src/group/catalog.ts'
import { groupConfigDefaults } from '../../src/group/config.ts'
import { Groups } from '../../src/group/coordinator.ts'
import { Shares } from '../../src/share/shares.ts'
import { stateTopic } from '../../src/share/state-topic.ts'
import { systemClock } from '../../src/storage/clock.ts'
import type { Store } from '../../src/storage/file.ts'
import type { Transactions } from '../../src/transaction/coordinator.ts'
import { transactionsOn } from '../../src/transaction/on-broker.ts'

export class BrokerProcess {
  readonly broker: Broker
  readonly branches: Branches
  readonly transactions: Transactions
  readonly groups: Groups
  readonly shares: Shares

  protected constructor(store: Store, configs: Readonly<Record<string, string>> = {}) {
    const one = { value: '1', origin: 'program' } as const
    const partitions = ['offsets.topic.num.partitions', 'transaction.state.log.num.partitions']
    const settings = new Map<string, Setting>(partitions.map((name) => [name, one]))
    for (const [name, value] of Object.entries(configs)) settings.set(name, { value, origin: 'program' })
    const config = new BrokerConfig(settings)
    this.broker = new Broker({ store, clock: systemClock, config })
    const log = new InternalTopic(this.broker, { name: '__consumer_offsets', partitions: 1, configs: {} })
    this.shares = new Shares(this.broker, stateTopic(this.broker))
    this.groups = new Groups({
      clock: systemClock,
      config: { ...groupConfigDefaults, 'offsets.topic.num.partitions': 1 },
      log,
      topics: catalogOf(this.broker),
      settings: (groupId) => this.broker.groupConfig(groupId),
      shares: this.shares,
    })
    this.transactions = transactionsOn(this.broker, this.groups)
    const { broker, groups, transactions } = this
    this.branches = new Branches({ broker, groups, transactions })
  }

  /** As far as a start goes without anybody to connect. */
  static async on(store: Store, configs?: Readonly<Record<string, string>>): Promise<BrokerProcess> {
    const process = new BrokerProcess(store, configs)
    await process.load()
    return process
  }

  protected async load(): Promise<void> {
    await this.shares.load()
    await this.branches.load()
    await this.groups.load()
    await this.transactions.load()
  }

  async stop(): Promise<void> {
    await this.branches.stop()
    this.groups.stop()
    this.transactions.stop()
    this.shares.stop()
  }
}
