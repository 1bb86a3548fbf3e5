// The broker as it looks from within a branch set (§1.8): the set's members are all the topics there are, beside those used
// as API, which who has entered uses like everybody else; what is made is made in the set. Names are the stored ones here
// as everywhere below the edge; src/api/entering translates them.

import { Refusal } from '../../protocol/errors.ts'
import { isJsonTopic } from '../branch/json-topics.ts'
import { insideOf, shownInside, topicInside } from '../branch/set-names.ts'
import type { Broker } from './broker.ts'
import type { NewTopic } from './new-topic.ts'
import type { Topic } from './topic.ts'

/** Topics that are part of the broker itself, and never of a set. */
export const coordinatorNames: ReadonlySet<string> = new Set([
  '__consumer_offsets',
  '__transaction_state',
  '__share_group_state',
])

/** Behind a name that a topic outside has taken already: no topic can be called so. */
const taken = '\udc00'

/** Something seen from elsewhere: `own` takes the place of what it says itself. */
export function seenFrom<T extends object>(whole: T, own: Partial<T>): T {
  const bound = new Map<PropertyKey, unknown>()
  return new Proxy(whole, {
    get(target, key) {
      if (Object.hasOwn(own, key)) return own[key as keyof T]
      const known = bound.get(key)
      if (known !== undefined) return known
      const value: unknown = Reflect.get(target, key, target)
      if (typeof value !== 'function') return value
      const method: unknown = value.bind(target)
      bound.set(key, method)
      return method
    },
  })
}

/** One set of a broker. Whether there is such a set is asked anew each time. */
export class SetView {
  readonly set: string
  /** The broker with nothing in it but the set. */
  readonly broker: Broker
  readonly #whole: Broker

  constructor(whole: Broker, set: string) {
    this.#whole = whole
    this.set = set
    this.broker = seenFrom(whole, {
      topic: (name) => this.#member(whole.topic(name)),
      topicById: (id) => this.#member(whole.topicById(id)),
      topics: () => this.#members(),
      listed: () => this.#members(),
      checkTopicName: (name) => this.#refuseSet() ?? whole.checkTopicName(untaken(name)),
      checkNewTopic: (topic) => this.#refuseSet() ?? this.#refuseTaken(topic.name) ?? whole.checkNewTopic(topic),
      createTopics: (topics) => whole.createTopics(topics.map((topic) => this.#asMember(topic))),
    })
  }

  get exists(): boolean {
    return this.#whole.lineage.sets.has(this.set)
  }

  /** Whether the set would go with this topic. */
  isLast({ id }: Topic): boolean {
    const { lineage } = this.#whole
    const set = lineage.sets.get(this.set)
    return set?.stays === undefined && set?.members.size === 1 && lineage.membership(id)?.set === this.set
  }

  /** The set stays when its last member goes. In effect when this returns. */
  keep(): Promise<void> {
    return this.#whole.noteLineage([{ v: 1, type: 'set-stays', set: this.set }])
  }

  /** Where the topic that is called so inside is stored, or would be. */
  stored(inside: string): string {
    const id = this.#whole.lineage.sets.get(this.set)?.members.get(inside)
    const member = id === undefined ? undefined : this.#whole.topicById(id)
    if (member !== undefined) return member.name
    // What no topic may be called at all is refused for that.
    if (isJsonTopic(inside) || this.#whole.checkTopicName(inside) !== undefined) return inside
    const name = topicInside(this.set, inside)
    return coordinatorNames.has(inside) || this.#whole.topic(name) !== undefined ? name + taken : name
  }

  /** What a stored name is inside, whether or not there is such a topic now. */
  shown(stored: string): string {
    const topic = this.#whole.topic(stored)
    const membership = topic && this.#whole.lineage.membership(topic.id)
    if (membership?.set === this.set) return membership.inside
    const name = shownInside(this.set, untaken(stored))
    return name === untaken(stored) ? stored : name
  }

  #member(topic: Topic | undefined): Topic | undefined {
    if (topic === undefined || isJsonTopic(topic.name)) return topic
    return this.#whole.lineage.membership(topic.id)?.set === this.set ? topic : undefined
  }

  /** In the order of their stored names. */
  #members(): Topic[] {
    const ids = this.#whole.lineage.sets.get(this.set)?.members.values() ?? []
    return [...ids].flatMap((id) => this.#whole.topicById(id) ?? []).sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  #asMember(topic: NewTopic): NewTopic {
    if (isJsonTopic(topic.name)) return topic
    return { ...topic, membership: { set: this.set, inside: this.shown(topic.name) } }
  }

  #refuseSet(): Refusal | undefined {
    if (this.exists) return undefined
    const message = `There is no branch set '${this.set}'. Fork one under this label first, or look at the label.`
    return new Refusal('INVALID_TOPIC_EXCEPTION', message)
  }

  #refuseTaken(name: string): Refusal | undefined {
    if (!name.endsWith(taken)) return undefined
    const why = `it would be stored as '${untaken(name)}', which is taken outside the set '${this.set}'`
    return new Refusal(
      'INVALID_TOPIC_EXCEPTION',
      `Topic '${this.shown(name)}' cannot be made here: ${why}. Take another name.`,
    )
  }
}

const untaken = (name: string): string => (name.endsWith(taken) ? name.slice(0, -taken.length) : name)

const views = new WeakMap<Broker, Map<string, SetView>>()

/** The set as it is seen from inside; also of one that there is not (yet). */
export function setView(broker: Broker, set: string): SetView {
  let ofBroker = views.get(broker)
  if (ofBroker === undefined) {
    ofBroker = new Map()
    views.set(broker, ofBroker)
  }
  const kept = ofBroker.get(set)
  if (kept?.exists) return kept
  const view = kept ?? new SetView(broker, set)
  // Clients may make names up, and sets come and go: what stands for none is not kept.
  for (const [name, { exists }] of ofBroker) if (!exists) ofBroker.delete(name)
  if (view.exists) ofBroker.set(set, view)
  return view
}

/** How many are kept. */
export const keptViews = (broker: Broker): number => views.get(broker)?.size ?? 0

/** The broker as the members of a group see it. */
export function seenBy(broker: Broker, groupId: string): Broker {
  const inside = insideOf(groupId)
  return inside === undefined ? broker : setView(broker, inside.set).broker
}

const asItIs = (name: string): string => name

/** What the members of a group call topics, and how these are stored. */
export function wordsOf(broker: Broker, groupId: string): Pick<SetView, 'stored' | 'shown'> {
  const inside = insideOf(groupId)
  return inside === undefined ? { stored: asItIs, shown: asItIs } : setView(broker, inside.set)
}
