// The ACLs that were set: state is what the metadata log replays. The authorizer, where one is switched on, goes by them.

import { type Acl, aclKey } from '../auth/acl.ts'
import { type AclFilter, matches } from '../auth/acl-filter.ts'
import { AclSet } from '../auth/acl-set.ts'
import { Authorizer } from '../auth/authorizer.ts'
import { superUsersOf } from './authorizer-config-rows.ts'
import type { BrokerConfig } from './broker-config.ts'
import type { MetadataLog } from './metadata-log.ts'

export class Acls {
  readonly #metadata: MetadataLog
  readonly #set: AclSet
  /** Where it is absent everybody may do everything. */
  readonly authorizer: Authorizer | undefined

  constructor(metadata: MetadataLog, config: BrokerConfig) {
    this.#metadata = metadata
    this.#set = new AclSet(metadata.state.acls.values())
    if (config.string('authorizer.class.name') === '') return
    const superUsers = new Set(superUsersOf(config.string('super.users')))
    const allowsUnmentioned = config.boolean('allow.everyone.if.no.acl.found')
    this.authorizer = new Authorizer(this.#set, { superUsers, allowsUnmentioned })
  }

  matching(filter: AclFilter): Acl[] {
    return [...this.#metadata.state.acls.values()].filter((acl) => matches(filter, acl))
  }

  /** All of them or none; those that are there already stay. Resolves when they are durable. Throws StorageError. */
  async add(acls: readonly Acl[]): Promise<void> {
    const { acls: there } = this.#metadata.state
    const added = unique(acls).filter((acl) => !there.has(aclKey(acl)))
    if (added.length === 0) return this.#metadata.flush()
    const durable = this.#metadata.commit(added.map((acl) => ({ v: 1, type: 'acl', acl })))
    for (const acl of added) this.#set.add(acl)
    await durable
  }

  /** As `add`. */
  async remove(acls: readonly Acl[]): Promise<void> {
    const { acls: there } = this.#metadata.state
    const removed = unique(acls).filter((acl) => there.has(aclKey(acl)))
    if (removed.length === 0) return this.#metadata.flush()
    const durable = this.#metadata.commit(removed.map((acl) => ({ v: 1, type: 'acl-removed', acl })))
    for (const acl of removed) this.#set.remove(acl)
    await durable
  }

  /** There are none. Throws StorageError. */
  reset(): Promise<void> {
    return this.remove([...this.#metadata.state.acls.values()])
  }
}

const unique = (acls: readonly Acl[]): Acl[] => [...new Map(acls.map((acl) => [aclKey(acl), acl])).values()]
