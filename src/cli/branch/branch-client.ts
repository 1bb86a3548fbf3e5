// Branches as any client sees them: configurations of topics, lines of JSON that go in, and lines that come out.

import type { BranchEvent } from '../../branch/events.ts'
import { branchesTopic, commandsTopic } from '../../branch/json-topics.ts'
import type { Configs, KafkaClient, TopicSeen } from '../client/kafka-client.ts'
import { Unreachable } from '../client/node-connection.ts'
import { readPartition } from '../client/reading.ts'
import { expectTwiglog } from '../client/session.ts'
import type { CommandLine } from './order.ts'

export type SeenBranch = {
  readonly name: string
  readonly id: string
  readonly from: string
  readonly fromId: string
  /** The fork point, by partition. */
  readonly offsets: ReadonlyMap<number, number>
  readonly createdMs: number
  readonly set: string | undefined
  readonly groups: string | undefined
  readonly ownBytes: number
  readonly sharedBytes: number
  readonly protect: string
  readonly ttlMs: number
  readonly topic: TopicSeen
}

/** How many topics are asked about at once. */
const portion = 200

export class BranchClient {
  readonly client: KafkaClient

  constructor(client: KafkaClient) {
    this.client = client
  }

  /** All branches in the order of their names. */
  async branches(): Promise<SeenBranch[]> {
    const listed = await this.client.topics()
    const topics = [...listed.values(), ...(await this.#unlisted(listed))].sort((a, b) => (a.name < b.name ? -1 : 1))
    const found: SeenBranch[] = []
    for (let i = 0; i < topics.length; i += portion) {
      const some = topics.slice(i, i + portion)
      const configs = await this.client.configs(some.map(({ name }) => name))
      for (const topic of some) {
        const branch = branchOf(topic, configs.get(topic.name) ?? new Map())
        if (branch !== undefined) found.push(branch)
      }
    }
    if (found.length === 0) await expectTwiglog(this.client)
    return found
  }

  /** Members of sets, which are listed to those only who have entered one: the history knows their names. */
  async #unlisted(listed: ReadonlyMap<string, TopicSeen>): Promise<TopicSeen[]> {
    const names = new Set<string>()
    for await (const { topics = [] } of this.history()) {
      for (const { into, kept } of topics) {
        for (const name of [into, kept]) if (name !== undefined && !listed.has(name)) names.add(name)
      }
    }
    const wanted = [...names]
    const found: TopicSeen[] = []
    for (let i = 0; i < wanted.length; i += portion) {
      found.push(...(await this.client.topics(wanted.slice(i, i + portion))).values())
    }
    return found
  }

  /** Undefined for a topic that is no branch. Throws Refused where there is no such topic. */
  async branch(name: string): Promise<SeenBranch | undefined> {
    const topic = await this.client.topic(name)
    return branchOf(topic, (await this.client.configs([name])).get(name) ?? new Map())
  }

  /** Everything told so far. */
  async *history(): AsyncGenerator<BranchEvent> {
    const topic = (await this.client.topics()).get(branchesTopic)
    if (topic === undefined) return expectTwiglog(this.client)
    const { start, end } = (await this.client.bounds(topic)).get(0)!
    for await (const { value } of readPartition(this.client, topic, 0, { from: start, until: end })) {
      yield JSON.parse(String(value)) as BranchEvent
    }
  }

  /** Has a command run and gives its result; `begun` is called for what is told on the way. */
  async command(command: CommandLine, begun: (event: BranchEvent) => void = () => {}): Promise<BranchEvent> {
    const told = await this.#told()
    const { end } = (await this.client.bounds(told)).get(0)!
    const { id = `cli-${Date.now().toString(36)}-${Math.random().toString(36).slice(2, 8)}` } = command
    try {
      await this.client.send(commandsTopic, JSON.stringify({ ...command, id }))
      return await this.#resultOf(String(id), told, end, begun)
    } catch (cause) {
      if (!(cause instanceof Unreachable)) throw cause
      throw new Unreachable(`${cause.message} What became of the command says twiglog branch log, under ${id}.`)
    }
  }

  /** Made by being named, where there can be branches. */
  async #told(): Promise<TopicSeen> {
    const told = (await this.client.topics([branchesTopic])).get(branchesTopic)
    if (told === undefined) await expectTwiglog(this.client)
    return told ?? this.client.topic(branchesTopic)
  }

  async #resultOf(
    id: string,
    told: TopicSeen,
    from: number,
    begun: (event: BranchEvent) => void,
  ): Promise<BranchEvent> {
    for await (const { value } of readPartition(this.client, told, 0, { from })) {
      const event = JSON.parse(String(value)) as BranchEvent
      if (event.id !== id) continue
      if (event.type !== 'merge-begin' && event.type !== 'merge-aborted') return event
      begun(event)
    }
    throw new Error('a history that has no end has ended')
  }
}

function branchOf(topic: TopicSeen, configs: Configs): SeenBranch | undefined {
  const from = configs.get('branch.from')
  if (from === undefined || from === null) return undefined
  const number = (name: string, otherwise = 0) => Number(configs.get(name) ?? otherwise)
  const offsets = (configs.get('branch.offsets') ?? '').split(',').flatMap((pair) => {
    const [partition, offset] = pair.split('=')
    return offset === undefined ? [] : [[Number(partition), Number(offset)] as const]
  })
  return {
    name: topic.name,
    id: topic.id,
    from,
    fromId: configs.get('branch.from.id') ?? '',
    offsets: new Map(offsets),
    createdMs: number('branch.created.ms'),
    set: configs.get('branch.set') ?? undefined,
    groups: configs.get('branch.groups') ?? undefined,
    ownBytes: number('branch.bytes.own'),
    sharedBytes: number('branch.bytes.shared'),
    protect: configs.get('branch.protect') ?? 'none',
    ttlMs: number('branch.ttl.ms', -1),
    topic,
  }
}
