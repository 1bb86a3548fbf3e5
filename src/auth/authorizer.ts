// Who may do what: Kafka's StandardAuthorizer (KIP-801). What is denied is denied whatever else is allowed, and what nobody
// speaks of is denied, too, unless the broker was told otherwise.

import { isIPv6, SocketAddress } from 'node:net'
import { type Acl, clusterName, everybody, type Operation, type Question, type ResourceType, wildcard } from './acl.ts'
import type { AclSet } from './acl-set.ts'

/** Somebody who asks for something: a client of any API has these. */
export type Requester = {
  readonly principal: string
  /** The address of the connection, as the socket tells it. */
  readonly host: string
}

/** The host of the program that has the broker inside: no address is called so, and nothing is forbidden there. */
export const inProcess = 'in-process'

export type Policy = {
  /** They may do everything, and nobody can deny it. */
  readonly superUsers: ReadonlySet<string>
  /** What is allowed where no ACL speaks of a resource, whoever it is about. */
  readonly allowsUnmentioned: boolean
}

/** Who is allowed one of these is allowed what they imply. To deny one denies nothing but itself. */
const impliedBy: { readonly [O in Operation]?: readonly Operation[] } = {
  DESCRIBE: ['DESCRIBE', 'READ', 'WRITE', 'DELETE', 'ALTER'],
  DESCRIBE_CONFIGS: ['DESCRIBE_CONFIGS', 'ALTER_CONFIGS'],
}

/** How many decisions are remembered, and how long their questions may be: a client may call its group what it likes. */
const knownMax = 10_000
const questionLengthMax = 500

export class Authorizer {
  readonly #acls: AclSet
  readonly #policy: Policy
  readonly #known = new Map<string, boolean>()
  /** Of the ACLs by which they were made. */
  #edition: object

  constructor(acls: AclSet, policy: Policy) {
    this.#acls = acls
    this.#policy = policy
    this.#edition = acls.edition
  }

  allows(by: Requester, operation: Question, type: 'CLUSTER'): boolean
  allows(by: Requester, operation: Question, type: ResourceType, name: string): boolean
  allows(by: Requester, operation: Question, type: ResourceType, name: string = clusterName): boolean {
    if (this.#mayAll(by)) return true
    return this.#once(`${operation} ${type} ${whoIs(by)} ${name}`, () => {
      let isAllowed = false
      let isMentioned = false
      for (const acl of this.#acls.about(type, name)) {
        isMentioned = true
        if (!isOn(acl, by) || !speaksOf(acl, operation)) continue
        if (acl.permission === 'DENY') return false
        isAllowed = true
      }
      return isAllowed || (!isMentioned && this.#policy.allowsUnmentioned)
    })
  }

  /** Whether there may be a resource of this type for which it is allowed. Here nothing is implied, as in Kafka. */
  allowsAny(by: Requester, operation: Question, type: ResourceType): boolean {
    // A name like any other: super users, and what is allowed or denied of all.
    if (this.#mayAll(by) || this.allows(by, operation, type, 'hardcode')) return true
    return this.#once(`some ${operation} ${type} ${whoIs(by)}`, () => {
      const about = [...this.#acls.ofType(type)].filter((acl) => isOn(acl, by) && isFor(acl, operation))
      const denied = about.filter(({ permission }) => permission === 'DENY')
      if (denied.some(isOfAll)) return false
      const allowed = about.filter(({ permission }) => permission === 'ALLOW')
      return allowed.some((acl) => isOfAll(acl) || !denied.some((other) => coversAll(other, acl)))
    })
  }

  #mayAll({ principal, host }: Requester): boolean {
    return host === inProcess || this.#policy.superUsers.has(principal)
  }

  #once(question: string, decide: () => boolean): boolean {
    if (this.#edition !== this.#acls.edition || this.#known.size >= knownMax) {
      this.#known.clear()
      this.#edition = this.#acls.edition
    }
    if (question.length > questionLengthMax) return decide()
    let answer = this.#known.get(question)
    if (answer === undefined) {
      answer = decide()
      this.#known.set(question, answer)
    }
    return answer
  }
}

/** No part of it can be taken for another, whatever they are called. */
const whoIs = ({ principal, host }: Requester): string => `${host} ${principal.length} ${principal}`

const isOn = (acl: Acl, { principal, host }: Requester): boolean =>
  (acl.principal === principal || acl.principal === everybody) &&
  (acl.host === wildcard || acl.host === host || plainHost(acl.host) === plainHost(host))

const isFor = (acl: Acl, operation: Question): boolean => acl.operation === 'ALL' || acl.operation === operation

const speaksOf = (acl: Acl, operation: Question): boolean =>
  isFor(acl, operation) || (acl.permission === 'ALLOW' && (impliedBy[operation]?.includes(acl.operation) ?? false))

const isOfAll = ({ patternType, resourceName }: Acl): boolean => patternType === 'LITERAL' && resourceName === wildcard

/** Whether all is denied that the other allows. */
const coversAll = (denied: Acl, allowed: Acl): boolean =>
  denied.patternType === 'PREFIXED'
    ? allowed.resourceName.startsWith(denied.resourceName)
    : allowed.patternType === 'LITERAL' && allowed.resourceName === denied.resourceName

/** One word for one address: a socket for both kinds tells 127.0.0.1 as ::ffff:127.0.0.1, and Java writes ::1 in full. */
function plainHost(host: string): string {
  const [address = ''] = host.split('%')
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  if (mapped !== undefined || !isIPv6(address)) return mapped ?? address
  return new SocketAddress({ address, family: 'ipv6' }).address
}
