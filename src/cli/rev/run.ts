// Does what `twiglog rev` was told, over Kafka's protocol, and says what came of it.

import { print } from '../../branch/verbatim-json.ts'
import type { KafkaClient, TopicSeen } from '../client/kafka-client.ts'
import { exitCodes, Missing, type Terminal, withClient } from '../client/session.ts'
import type { Point, RevOrder, Subject } from './order.ts'
import { type Revision, RevisionClient } from './revision-client.ts'
import {
  deltaJson,
  deltaTable,
  differenceInWords,
  differenceJson,
  paintOf,
  revisionJson,
  revisionTable,
  type Side,
  type Stats,
  statsInWords,
  valueInWords,
  valueJson,
} from './words.ts'

type Of<V extends RevOrder['verb']> = Extract<Subject & RevOrder, { verb: V }>

export const runRev = (order: RevOrder, terminal: Terminal): Promise<number> =>
  withClient(order.bootstrap, terminal, (client) => new Run(client, terminal, order.json).run(order))

class Run {
  readonly #client: KafkaClient
  readonly #revisions: RevisionClient
  readonly #terminal: Terminal
  readonly #json: boolean

  constructor(client: KafkaClient, terminal: Terminal, json: boolean) {
    this.#client = client
    this.#revisions = new RevisionClient(client)
    this.#terminal = terminal
    this.#json = json
  }

  async run(order: RevOrder): Promise<number> {
    const topic = await this.#client.topic(order.topic)
    switch (order.verb) {
      case 'log':
        return this.#log(order, topic)
      case 'show':
        return this.#show(order, topic)
      case 'diff':
        return this.#diff(order, topic)
      case 'restore':
        return this.#restore(order, topic)
      case 'stats':
        return this.#stats(order)
    }
  }

  /** One JSON value a line, or words. */
  #say(values: readonly unknown[], words: () => string): void {
    if (!this.#json) this.#terminal.out(words())
    else for (const value of values) this.#terminal.out(print(value))
  }

  /** Oldest first; never empty. */
  async #of({ key, partition }: Subject, topic: TopicSeen): Promise<Revision[]> {
    const found = await this.#revisions.revisions(topic.name, key, partition)
    if (found.length > 0) return found
    const where = partition === undefined ? '' : `, partition ${partition}`
    throw new Missing(`'${valueInWords(key)}' was never written to '${topic.name}'${where}, or is not kept any more.`)
  }

  async #at(order: Subject & { at: Point }, topic: TopicSeen, all: readonly Revision[]): Promise<Revision[]> {
    const found = await this.#revisions.upTo(topic, all, order.at)
    const { at, key } = order
    const kept = `kept are ${all[0]!.rev} to ${all.at(-1)!.rev}`
    if (at.kind === 'rev' && found.at(-1)?.rev !== at.rev) {
      throw new Missing(`There is no revision ${at.rev} of '${valueInWords(key)}' (${kept}).`)
    }
    if (found.length === 0) throw new Missing(`There was no revision of '${valueInWords(key)}' yet (${kept}).`)
    return found
  }

  async #log(order: Of<'log'>, topic: TopicSeen): Promise<number> {
    const found = await this.#at(order, topic, await this.#of(order, topic))
    const wanted = found.reverse().slice(0, order.limit)
    const told = wanted.map((revision) => revisionJson(order.key, revision))
    this.#say(told, () => revisionTable(wanted))
    return exitCodes.done
  }

  async #show(order: Of<'show'>, topic: TopicSeen): Promise<number> {
    const revision = (await this.#at(order, topic, await this.#of(order, topic))).at(-1)!
    if (order.delta) return this.#showDelta(order, revision)
    const { value } = await this.#side(topic, revision)
    const { partition, rev, offset, timestamp } = revision
    this.#say([{ partition, rev, offset, timestamp, ...valueJson(value) }], () => valueInWords(value))
    return exitCodes.done
  }

  async #showDelta({ topic, key }: Subject, { partition, rev }: Revision): Promise<number> {
    const deltas = await this.#revisions.deltas(topic, key, partition)
    const delta = deltas.find((one) => one.rev === rev)
    if (delta === undefined) throw new Missing(`Revision ${rev} went while it was read.`)
    if (delta.format !== 'vcdiff' && !this.#json) {
      throw new Missing(`Revision ${rev} is no delta, it is ${delta.format === 'full' ? 'a whole value' : 'deleted'}.`)
    }
    this.#say([deltaJson(delta)], () => delta.bytes!.toString('base64'))
    return exitCodes.done
  }

  async #side(topic: TopicSeen, revision: Revision): Promise<Side & { headers: readonly unknown[] }> {
    const record = await this.#revisions.record(topic, revision)
    if (record === undefined) throw new Missing(`Revision ${revision.rev} went while it was read.`)
    return { rev: revision.rev, value: record.value, headers: record.headers }
  }

  async #diff(order: Of<'diff'>, topic: TopicSeen): Promise<number> {
    const all = await this.#of(order, topic)
    const upTo = await this.#at(order, topic, all)
    const exactly = (rev: number) => {
      const found = all.find((one) => one.rev === rev)
      if (found !== undefined) return found
      throw new Missing(`There is no revision ${rev} (kept are ${all[0]!.rev} to ${all.at(-1)!.rev}).`)
    }
    const to = order.to === undefined ? upTo.at(-1)! : exactly(order.to)
    const from = order.from === undefined ? upTo.at(-2) : exactly(order.from)
    if (order.raw) {
      const deltas = await this.#revisions.deltas(topic.name, order.key, to.partition)
      const wanted = deltas.filter(({ rev }) => rev > (from?.rev ?? 0) && rev <= to.rev)
      this.#say(wanted.map(deltaJson), () => deltaTable(wanted))
      return exitCodes.done
    }
    if (from === undefined) throw new Missing(`Revision ${to.rev} is the oldest: there is nothing to compare it with.`)
    const [before, after] = await Promise.all([this.#side(topic, from), this.#side(topic, to)])
    const paint = paintOf(this.#terminal.colour === true)
    this.#say([differenceJson(before, after)], () => differenceInWords(before, after, paint))
    return exitCodes.done
  }

  async #restore(order: Of<'restore'>, topic: TopicSeen): Promise<number> {
    const all = await this.#of(order, topic)
    const newest = all.at(-1)!
    const revision = (await this.#at(order, topic, all)).at(-1)!
    const name = valueInWords(order.key)
    if (revision === newest) {
      this.#say([{ rev: newest.rev, restored: newest.rev }], () => `Revision ${newest.rev} of '${name}' is the newest.`)
      return exitCodes.done
    }
    const record = await this.#revisions.record(topic, revision)
    if (record === undefined) throw new Missing(`Revision ${revision.rev} went while it was read.`)
    if (!order.yes && this.#terminal.isTerminal) {
      const current = await this.#side(topic, newest)
      const paint = paintOf(this.#terminal.colour === true)
      this.#terminal.out(differenceInWords(current, { rev: revision.rev, value: record.value }, paint))
      const question = `Write the value of revision ${revision.rev} as the newest of '${name}'?`
      if (!(await this.#terminal.confirm(question))) return exitCodes.refused
    }
    const { key, value, headers } = record
    const offset = await this.#client.produce(topic, revision.partition, { key, value, headers })
    const now = await this.#revisions.revisions(topic.name, order.key, revision.partition)
    const rev = now.find((one) => one.offset === offset)?.rev ?? newest.rev + 1
    this.#say([{ rev, offset, partition: revision.partition, restored: revision.rev }], () => {
      return `'${name}' is again what revision ${revision.rev} said; that is revision ${rev}.`
    })
    return exitCodes.done
  }

  async #stats({ topic, key, partition }: Extract<RevOrder, { verb: 'stats' }>): Promise<number> {
    const stats: Stats = {
      keys: 0,
      revisions: 0,
      tombstones: 0,
      fullBytes: 0,
      storedBytes: 0,
      firstMs: Number.POSITIVE_INFINITY,
      lastMs: 0,
    }
    const keys = new Set<string>()
    for await (const revision of this.#revisions.listed(topic, key)) {
      if (partition !== undefined && revision.partition !== partition) continue
      keys.add(`${revision.partition} ${revision.key.toString('base64')}`)
      stats.revisions++
      if (revision.format === 'tombstone') stats.tombstones++
      stats.fullBytes += revision.size
      stats.storedBytes += revision.stored
      stats.firstMs = Math.min(stats.firstMs, revision.timestamp)
      stats.lastMs = Math.max(stats.lastMs, revision.timestamp)
    }
    stats.keys = keys.size
    const unparsed = key === undefined && partition === undefined ? await this.#revisions.unparsed(topic) : undefined
    if (unparsed !== undefined) stats.unparsed = unparsed
    this.#say([stats], () => statsInWords(stats))
    return exitCodes.done
  }
}
