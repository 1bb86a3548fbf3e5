// What one client may do, asked in the words of Kafka's ACLs. Topics are known by the names they are stored under; groups and
// transactional ids by the names that the client uses, within a branch set too: nobody else's can be reached by them there.

import type { Question } from '../../auth/acl.ts'
import type { Authorizer } from '../../auth/authorizer.ts'
import { insideOf } from '../../branch/set-names.ts'
import { setView } from '../../broker/set-view.ts'
import type { Context } from '../api.ts'

const plain = (id: string): string => insideOf(id)?.id ?? id

export class Rights {
  readonly #authorizer: Pick<Authorizer, 'allows' | 'allowsAny'>
  readonly #context: Pick<Context, 'client' | 'broker' | 'entered'>

  constructor(
    authorizer: Pick<Authorizer, 'allows' | 'allowsAny'>,
    context: Pick<Context, 'client' | 'broker' | 'entered'>,
  ) {
    this.#authorizer = authorizer
    this.#context = context
  }

  cluster(operation: Question): boolean {
    return this.#authorizer.allows(this.#context.client, operation, 'CLUSTER')
  }

  topic(operation: Question, name: string): boolean {
    return this.#authorizer.allows(this.#context.client, operation, 'TOPIC', name)
  }

  /** By a name that has not been translated: subscriptions of groups are kept in the words of their members. */
  subscribed(operation: Question, inside: string): boolean {
    const { broker, entered } = this.#context
    return this.topic(operation, entered === undefined ? inside : setView(broker, entered).stored(inside))
  }

  /** Whether it may be made: by a right on the topic, or on the cluster. */
  create(topic: string): boolean {
    return this.cluster('CREATE') || this.topic('CREATE', topic)
  }

  group(operation: Question, id: string): boolean {
    return this.#authorizer.allows(this.#context.client, operation, 'GROUP', plain(id))
  }

  transactionalId(operation: Question, id: string): boolean {
    return this.#authorizer.allows(this.#context.client, operation, 'TRANSACTIONAL_ID', plain(id))
  }

  /** Producers without a transaction need no right on the cluster where they may write to some topic (KIP-679). */
  get producesSomewhere(): boolean {
    return this.cluster('IDEMPOTENT_WRITE') || this.#authorizer.allowsAny(this.#context.client, 'WRITE', 'TOPIC')
  }
}

const nowhere = { client: { principal: '', host: '' } } as Pick<Context, 'client' | 'broker' | 'entered'>
const always = (answer: boolean) => new Rights({ allows: () => answer, allowsAny: () => answer }, nowhere)

/** Rights of those about whom it is decided already. */
export const [everybody, nobody] = [always(true), always(false)]
