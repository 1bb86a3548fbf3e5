// A broker with an authorizer, and two clients: one that comes from 127.0.0.1 and may do everything, and a stranger, who comes
// from 127.0.0.2 and may do what a test allows. Nobody here says who they are, so ACLs tell them apart by their hosts.

import { errorName } from '../../protocol/errors.ts'
import { createAcls } from '../../protocol/messages/30-create-acls.ts'
import { deleteAcls } from '../../protocol/messages/31-delete-acls.ts'
import type { Answer, ApiTable } from '../../protocol/schema.ts'
import type { BrokerOptions } from '../../src/embedded.ts'
import { operations, type Right, resourceTypes } from '../differential/scenarios/rights-questions.ts'
import { type Body, WireClient } from '../wire-client.ts'
import { Line } from './line.ts'

export const strangerHost = '127.0.0.2'
const homeHost = '127.0.0.1'
const principal = 'User:ANONYMOUS'
const [literal, prefixed, allow, deny, any] = [3, 4, 3, 2, 1]

export const authorizerConfig = {
  'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
  // Until the first ACLs are there, which are those of the client at home.
  'allow.everyone.if.no.acl.found': 'true',
}

type Creation = Body<typeof createAcls>['creations'][number]

/** A right on all that is called `prefix…`, or on the cluster. */
export function acl(right: Right, { prefix = 'r-', isDenied = false } = {}): Creation {
  const [type, operation] = right.split(' ') as [keyof typeof resourceTypes, keyof typeof operations]
  const isCluster = type === 'cluster'
  return {
    resourceType: resourceTypes[type],
    resourceName: isCluster ? 'kafka-cluster' : prefix,
    resourcePatternType: isCluster ? literal : prefixed,
    ...{ principal, host: strangerHost, operation: operations[operation], permissionType: isDenied ? deny : allow },
  }
}

/** What the client at home needs to go on. */
export const atHome: readonly Creation[] = Object.values(resourceTypes).map((resourceType) => ({
  resourceType,
  resourceName: resourceType === resourceTypes.cluster ? 'kafka-cluster' : '*',
  ...{ resourcePatternType: literal, principal, host: homeHost, operation: operations.ALL, permissionType: allow },
}))

/** All ACLs of the stranger. */
export const ofStranger: Body<typeof deleteAcls> = {
  filters: [
    {
      ...{ resourceTypeFilter: any, resourceNameFilter: null, patternTypeFilter: any, principalFilter: null },
      ...{ hostFilter: strangerHost, operation: any, permissionType: any },
    },
  ],
}

export class Strangers implements AsyncDisposable {
  readonly line: Line
  #stranger: WireClient

  private constructor(line: Line, stranger: WireClient) {
    this.line = line
    this.#stranger = stranger
  }

  static async open(topics: BrokerOptions['topics'] = [], config: BrokerOptions['config'] = {}): Promise<Strangers> {
    const line = await Line.open(topics, { ...authorizerConfig, ...config })
    await line.ask(createAcls, 3, { creations: atHome })
    return new Strangers(line, await Strangers.#connect(line))
  }

  static #connect(line: Line, clientId = 'stranger'): Promise<WireClient> {
    return WireClient.open(line.broker.bootstrapServers, clientId, { localAddress: strangerHost })
  }

  /** These rights are all that the stranger has. */
  async allow(...rights: readonly (Right | Creation)[]): Promise<void> {
    await this.line.ask(deleteAcls, 3, ofStranger)
    const creations = rights.map((right) => (typeof right === 'string' ? acl(right) : right))
    const { results } = await this.line.ask(createAcls, 3, { creations })
    for (const { errorCode, errorMessage } of results) if (errorCode !== 0) throw new Error(`${errorMessage}`)
  }

  /** As the stranger. */
  ask<A extends ApiTable>(table: A, version: number, body: Body<A>): Promise<Answer<A>> {
    return this.#stranger.ask(table, version, body)
  }

  /** A stranger that comes by another connection. */
  another(clientId: string): Promise<WireClient> {
    return Strangers.#connect(this.line, clientId)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stranger.close()
    await this.line[Symbol.asyncDispose]()
  }
}

/** The names of all errors in an answer, each once. */
export function errorsIn(answer: unknown, found = new Set<string>()): Set<string> {
  if (Array.isArray(answer)) for (const each of answer) errorsIn(each, found)
  else if (typeof answer === 'object' && answer !== null && !Buffer.isBuffer(answer)) {
    for (const [name, value] of Object.entries(answer)) {
      if (!/^(partition|acknowledge)?errorCode$/i.test(name)) errorsIn(value, found)
      else if (value !== 0) found.add(errorName(value as number))
    }
  }
  return found
}
