// What a configuration belongs to, and what can be done with it, whatever it is: a topic, a broker, its loggers, a group,
// a subscription to client metrics.

import { Refusal } from '../../protocol/errors.ts'
import { isHistory, refuseHistory, refuseTtl } from '../branch/branch-config.ts'
import { toldTopics } from '../branch/json-topics.ts'
import { branchEntries } from '../broker/branch-entries.ts'
import type { Broker } from '../broker/broker.ts'
import type { ConfigAssignment, ConfigOperation, Overrides } from '../broker/config-alter.ts'
import type { ConfigEntry, DescribeRequest } from '../broker/config-entry.ts'
import { refuseInsync } from '../broker/insync-guard.ts'
import type { NamedConfigs } from '../broker/named-config.ts'
import { revisionEntries } from '../broker/revision-entries.ts'
import type { Topic } from '../broker/topic.ts'
import { alterTopic, replaceTopic } from '../broker/view-guard.ts'
import type { Context } from './api.ts'

/** Codes of ConfigResource. */
export const resourceTypes = { topic: 2, broker: 4, brokerLogger: 8, clientMetrics: 16, group: 32 } as const

export type Configured = {
  describe(request: DescribeRequest): ConfigEntry[]
  /** The overrides after operations; nothing has changed yet. */
  alter(operations: readonly ConfigOperation[]): Overrides | Refusal
  /** As alter, all older overrides gone. */
  replace(assignments: readonly ConfigAssignment[]): Overrides | Refusal
  /** Makes them so; resolves when that is durable. Throws StorageError. */
  configure(overrides: Readonly<Overrides>): Promise<void>
}

/** Finds a resource; for a broker the name '' stands for all of them. */
export function findResource(resourceType: number, name: string, { broker, node }: Context): Configured | Refusal {
  switch (resourceType) {
    case resourceTypes.topic:
      return topic(broker, name)
    case resourceTypes.broker:
      if (name === '') return brokers(broker, name)
      return refuseNodeId(node, name, 'expected a broker id or empty string') ?? brokers(broker, String(node))
    case resourceTypes.brokerLogger:
      return refuseNodeId(node, name, 'expected a broker id') ?? loggers(broker)
    case resourceTypes.clientMetrics:
      if (name === '') return new Refusal('INVALID_REQUEST', 'Client metrics subscription name must not be empty')
      return named(broker.clientMetrics, name)
    case resourceTypes.group:
      if (name === '') return new Refusal('INVALID_REQUEST', 'Group name must not be empty')
      return named(broker.groupConfigs, name)
    default:
      return new Refusal('INVALID_REQUEST', `Unknown resource type ${resourceType}`)
  }
}

/** As findResource, for a change: a real broker says what is wrong with it before it looks whether the topic is there. */
export function findToAlter(resourceType: number, name: string, context: Context): Configured | Refusal {
  const found = findResource(resourceType, name, context)
  if (!(found instanceof Refusal) || found.error !== 'UNKNOWN_TOPIC_OR_PARTITION') return found
  const missing = new Refusal('UNKNOWN_TOPIC_OR_PARTITION', `The topic '${name}' does not exist.`)
  const refused = (next: Overrides | Refusal) => (next instanceof Refusal ? next : missing)
  const config = context.broker.topicConfig({})
  return {
    describe: () => [],
    alter: (operations) => refused(config.alter(operations)),
    replace: (assignments) => refused(config.replace(assignments)),
    configure: async () => {},
  }
}

function topic(broker: Broker, name: string): Configured | Refusal {
  const badName = broker.checkTopicName(name)
  if (badName !== undefined) return badName
  const found = broker.topic(name)
  if (found === undefined) return new Refusal('UNKNOWN_TOPIC_OR_PARTITION')
  const fixed = toldTopics.has(name)
    ? new Refusal('POLICY_VIOLATION', `What '${name}' tells is the broker's, and so is its configuration.`)
    : undefined
  return {
    describe: (request) => [
      ...found.config.describe(request),
      ...branchEntries(found, broker, request),
      ...revisionEntries(found, request),
    ],
    alter: (operations) =>
      fixed ?? refuseBranchNames(broker, found, operations) ?? alterTopic(found, broker, operations),
    replace: (assignments) =>
      fixed ?? refuseBranchNames(broker, found, assignments) ?? replaceTopic(found, broker, assignments),
    configure: (overrides) => broker.configureTopic(found, overrides),
  }
}

function refuseBranchNames(broker: Broker, { id }: Topic, asked: readonly { name: string }[]): Refusal | undefined {
  const history = asked.find(({ name }) => isHistory(name))
  if (history !== undefined) return refuseHistory(history.name)
  const isBranch = broker.lineage.branches.has(id)
  return !isBranch && asked.some(({ name }) => name === 'branch.ttl.ms') ? refuseTtl() : undefined
}

function brokers(broker: Broker, name: string): Configured {
  const guarded = (next: Overrides | Refusal, asked: readonly { name: string }[]): Overrides | Refusal => {
    if (next instanceof Refusal) return next
    const touched = asked.map((one) => one.name)
    return refuseInsync(broker.features, name, touched, next) ?? next
  }
  return {
    describe: (request) => broker.config.describe(name, request),
    alter: (operations) => guarded(broker.config.alter(name, operations), operations),
    replace: (assignments) => guarded(broker.config.replace(name, assignments), assignments),
    configure: (overrides) => broker.configureBroker(name, overrides),
  }
}

function loggers({ loggers }: Broker): Configured {
  return {
    describe: (request) => loggers.describe(request),
    alter: (operations) => loggers.alter(operations),
    replace: () => new Refusal('INVALID_REQUEST', `Unknown resource type ${resourceTypes.brokerLogger}`),
    configure: async (levels) => loggers.configure(levels),
  }
}

function named(
  configs: Pick<NamedConfigs<never>, 'describe' | 'alter' | 'replace' | 'configure'>,
  name: string,
): Configured {
  return {
    describe: (request) => configs.describe(name, request),
    alter: (operations) => configs.alter(name, operations),
    replace: (assignments) => configs.replace(assignments),
    configure: (overrides) => configs.configure(name, overrides),
  }
}

/** Each node speaks for itself only. */
function refuseNodeId(node: number, name: string, expected: string): Refusal | undefined {
  const isNumber = /^[+-]?\d+$/.test(name)
  if (isNumber && Number(name) === node) return undefined
  const message = isNumber
    ? `Unexpected broker id: ${expected}, ${node} here, but received ${name}`
    : `Broker id must be an integer, but it is: ${name}`
  return new Refusal('INVALID_REQUEST', message)
}
