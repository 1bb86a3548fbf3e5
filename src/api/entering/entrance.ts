// Where a request meets the life it is about (§1.8): the root, or a branch set that the client has entered by a listener of
// the set's own or by its client id. The one place where names are translated; no handler learns of sets.

import { Refusal } from '../../../protocol/errors.ts'
import type { Fields as Columns, Message } from '../../../protocol/schema.ts'
import { groupInside, insideOf, noSet, setEntered } from '../../branch/set-names.ts'
import { type SetView, seenFrom, setView } from '../../broker/set-view.ts'
import type { Branches } from '../../command/branches.ts'
import { RegularExpression } from '../../group/regular-expression.ts'
import type { Api, Context } from '../api.ts'
import { bearings, type Leaf } from './bearing.ts'
import { refuse } from './no-set.ts'
import { type Translator, translateAnswer, translateRequest } from './translation.ts'

type Asked = Record<string, unknown>

/** What handlers see of a set in the place of the whole. */
type Life = { readonly view: SetView; readonly branches: Branches }

/** A connection's way in: asked at every request, so what it has found is kept. */
export class Entrance {
  /** Of the listener, where that is a set's own: then it does not matter what clients call themselves. */
  readonly #set: string | undefined
  #clientId: string | null = null
  #entered: string | undefined
  #life: Life | undefined

  constructor(set: string | undefined) {
    this.#set = set
  }

  /** As `api.handle`, in the life that the client has entered. */
  handle(api: Api, request: Message<Columns>, context: Context): unknown {
    const set = this.#set ?? this.#setOf(context.clientId)
    if (set !== undefined) return handleInside(api, request, context, this.#lifeIn(set, context))
    return listings.has(api.table.key) ? handleOutside(api, request, context) : api.handle(request, context)
  }

  #lifeIn(set: string, { broker, branches }: Context): Life {
    const view = setView(broker, set)
    if (this.#life?.view !== view) this.#life = { view, branches: branchesInside(branches, view) }
    return this.#life
  }

  #setOf(clientId: string | null): string | undefined {
    if (clientId !== this.#clientId) {
      this.#clientId = clientId
      this.#entered = clientId === null ? undefined : setEntered(clientId)
    }
    return this.#entered
  }
}

/** ListGroups, ListTransactions, ListConfigResources: what is in sets is not for those outside. */
const listings: ReadonlySet<number> = new Set([16, 66, 74])

const outside: Translator = {
  ask: (_, text) => text,
  tell: (leaf, text) => (leaf === 'id' && insideOf(text) !== undefined ? undefined : text),
}

const handleOutside = (api: Api, request: Message<Columns>, context: Context): unknown =>
  after(api.handle(request, context), (answer) => translateAnswer(bearings[api.table.key]!, answer, outside))

/** Labels that were told of, and how many of them there may be: clients can make names up. */
const missed = new Set<string>()
const missedMax = 100

/** Few answers have room for a sentence, so that the broker's own output says once what is wrong. */
function tellMissed(set: string, { client, clientId }: Context): void {
  if (missed.has(set) || missed.size >= missedMax) return
  missed.add(set)
  const what = set === noSet ? `says no branch set plainly` : `means the branch set '${set}', which does not exist`
  console.error(
    `A client at ${client.host} (client.id ${JSON.stringify(clientId)}) ${what}: all its requests are refused.`,
  )
}

function handleInside(api: Api, request: Message<Columns>, context: Context, { view, branches }: Life): unknown {
  if (!view.exists) tellMissed(view.set, context)
  const inside = { ...context, broker: view.broker, branches, entered: view.set }
  const handle = () => (view.exists ? api.handle(request, inside) : refuse(api, request, inside))
  const bearing = bearings[api.table.key]
  if (bearing === undefined) return handle()
  const interpreter = new Interpreter(view, ofNamelessGroups.has(api.table.key))
  translateRequest(bearing, request as Asked, interpreter)
  return after(handle(), (answer) => translateAnswer(bearing, answer, interpreter))
}

/** Nothing is translated where nothing is answered. */
function after(outcome: unknown, translate: (answer: Asked) => Asked): unknown {
  if (outcome instanceof Promise) return outcome.then((answer) => after(answer, translate))
  return outcome === undefined ? undefined : translate(outcome as Asked)
}

/**
 * OffsetCommit, OffsetFetch, DescribeGroups, DeleteGroups, OffsetDelete: of a group that nobody joins the name may be empty, and a set's is
 * another than the root's.
 */
const ofNamelessGroups: ReadonlySet<number> = new Set([8, 9, 15, 42, 47])

/** The names of one request: they are said again in its answer as the client has said them. */
class Interpreter implements Translator {
  readonly #view: SetView
  readonly #topics = new Map<string, string>()
  readonly #ids = new Map<string, string>()
  readonly #hasNameless: boolean
  #pattern: RegularExpression | undefined

  /** `hasNameless`: a group may be called ''. */
  constructor(view: SetView, hasNameless: boolean) {
    this.#view = view
    this.#hasNameless = hasNameless
  }

  ask(leaf: Leaf, text: string): string | null {
    switch (leaf) {
      case 'topic': {
        const stored = this.#view.stored(text)
        this.#topics.set(stored, text)
        return stored
      }
      case 'id': {
        // Nobody is what bears no name, here as outside.
        if (text === '' && !this.#hasNameless) return text
        const pair = groupInside(this.#view.set, text)
        this.#ids.set(pair, text)
        return pair
      }
      case 'pattern': {
        const pattern = RegularExpression.parse(text)
        // What cannot be read is refused in the handler's words.
        if (pattern instanceof Refusal) return text
        this.#pattern = pattern
        return null
      }
      default:
        return text
    }
  }

  tell(leaf: Leaf, text: string): string | undefined {
    switch (leaf) {
      case 'topic':
        return this.#topics.get(text) ?? this.#view.shown(text)
      case 'id':
        return this.#tellId(text)
      case 'words':
        return this.#tellWords(text)
      default:
        return text
    }
  }

  #tellId(text: string): string | undefined {
    const inside = insideOf(text)
    if (inside?.set !== this.#view.set) return undefined
    return this.#pattern?.matches(inside.id) === false ? undefined : inside.id
  }

  #tellWords(text: string): string {
    // Requests by topic id have named none.
    const members = this.#view.broker.topics().map(({ name }) => [name, this.#view.shown(name)] as const)
    const all = new Map([...members, ...this.#topics, ...this.#ids])
    const names = [...all].filter(([below, inside]) => below !== inside && text.includes(below))
    // The longest first: one name may be the beginning of another.
    names.sort(([a], [b]) => b.length - a.length)
    return names.reduce((words, [below, inside]) => words.replaceAll(below, inside), text)
  }
}

/** What is forked by those inside is a member of their set. */
function branchesInside(branches: Branches, view: SetView): Branches {
  return seenFrom(branches, {
    check: (request) => {
      const inside = requestInside(request, view)
      return inside instanceof Refusal ? refuseAll(request, inside) : branches.check(inside)
    },
    deleteTopic: async (topic, by) => {
      // Not with its last member: who makes it again is still inside.
      if (view.isLast(topic)) await view.keep()
      return branches.deleteTopic(topic, by)
    },
    fork: async (request) => {
      const inside = requestInside(request, view)
      return inside instanceof Refusal ? refuseAll(request, inside) : branches.fork(inside)
    },
  })
}

type ForkRequest = Parameters<Branches['check']>[0]

function requestInside(request: ForkRequest, view: SetView): ForkRequest | Refusal {
  const { set } = view
  if (request.set !== undefined && request.set !== set) {
    const message = `branch.set=${request.set}: what is made inside the set '${set}' belongs to it. Leave branch.set out.`
    return new Refusal('INVALID_CONFIG', message)
  }
  const group = 'group:'
  const topics = request.topics.map((topic) => ({
    ...topic,
    inside: view.shown(topic.to),
    ...(topic.at?.startsWith(group) ? { at: group + groupInside(set, topic.at.slice(group.length)) } : {}),
  }))
  return { ...request, set, topics }
}

const refuseAll = ({ topics }: ForkRequest, refusal: Refusal) => new Map(topics.map(({ to }) => [to, refusal] as const))
