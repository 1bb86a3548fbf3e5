// Topics that are made, grown, moved and deleted, several in one request, rightly and not; and all configurations that can be
// changed meanwhile.

import { metadata } from '../../../protocol/messages/03-metadata.ts'
import { createTopics } from '../../../protocol/messages/19-create-topics.ts'
import { deleteTopics } from '../../../protocol/messages/20-delete-topics.ts'
import { describeConfigs } from '../../../protocol/messages/32-describe-configs.ts'
import { alterConfigs } from '../../../protocol/messages/33-alter-configs.ts'
import { createPartitions } from '../../../protocol/messages/37-create-partitions.ts'
import { incrementalAlterConfigs } from '../../../protocol/messages/44-incremental-alter-configs.ts'
import { describeTopicPartitions } from '../../../protocol/messages/75-describe-topic-partitions.ts'
import type { Side } from '../side.ts'
import { type Chance, walks } from './chance.ts'

const stepCount = 60

export async function topicWalks(side: Side): Promise<void> {
  await walks('wo', side, (chance) => walk(side, chance))
}

async function walk(side: Side, chance: Chance): Promise<void> {
  const names = ['a', 'b', 'c', 'c.d', 'c_d'].map((name) => `${chance.walk}-${name}`)
  for (let step = 0; step < stepCount; step++) {
    const label = `${chance.walk} ${step}`
    const kind = chance.one(['create', 'create', 'delete', 'grow', 'alter', 'alter', 'alter'] as const)
    const validateOnly = chance.often(0.2)
    if (kind === 'create') {
      const topics = chance.several(names, 0.4).map((name) => newTopic(chance, name))
      // What would be made has an id in Kafka that nobody ever bears.
      await side.ask(`would ${label}`, createTopics, chance.one([2, 4, 5, 6]), { topics, validateOnly })
    } else if (kind === 'delete') {
      const topicNames = chance.several(names, 0.3)
      await side.ask(label, deleteTopics, chance.one([1, 4, 5]), { topicNames, timeoutMs: 5000 })
    } else if (kind === 'grow') {
      const topics = chance.several(names, 0.3).map((name) => growth(chance, name))
      await side.ask(label, createPartitions, chance.below(4), { topics, timeoutMs: 5000, validateOnly })
    } else await alter(side, chance, names, validateOnly, label)
    await side.settle()
    await look(side, names, label)
  }
}

function newTopic(chance: Chance, name: string) {
  const assignments = chance.often(0.8)
    ? []
    : assignmentsFor(chance).map((brokerIds, partitionIndex) => ({ partitionIndex, brokerIds }))
  const configs = chance.some(topicConfigs, 0.1).map(([key, ...values]) => ({ name: key, value: chance.one(values) }))
  const isDealt = assignments.length > 0 && chance.often(0.8)
  return {
    name,
    numPartitions: isDealt ? -1 : chance.mostly(2, 1, 3, -1, 0),
    replicationFactor: isDealt ? -1 : chance.mostly(1, -1, 2),
    assignments,
    configs,
  }
}

const assignmentsFor = (chance: Chance): number[][] =>
  Array.from({ length: 1 + chance.below(3) }, () => chance.mostly([1], [1], [1], [2], [], [1, 1]))

function growth(chance: Chance, name: string) {
  const count = chance.one([1, 2, 3, 4, 5, 0, -1])
  const assignments = chance.often(0.6) ? null : assignmentsFor(chance).map((brokerIds) => ({ brokerIds }))
  return { name, count, assignments }
}

const topicConfigs: readonly (readonly [string, ...string[]])[] = [
  ['retention.ms', '1000000', '-1', '-2', 'x', ''],
  ['cleanup.policy', 'compact', 'delete', 'compact,delete', 'burn', ''],
  ['min.compaction.lag.ms', '0', '1000', '-1'],
  ['max.compaction.lag.ms', '1', '500', '2000', '0'],
  ['local.retention.ms', '5', '-2', '2000000'],
  ['local.retention.bytes', '5', '-2', '2000000'],
  ['retention.bytes', '-1', '10', '-2'],
  ['remote.storage.enable', 'true', 'false', 'maybe'],
  ['compression.type', 'zstd', 'producer', 'gzip', 'zip'],
  ['compression.gzip.level', '1', '9', '-1', '0', '10'],
  ['min.insync.replicas', '1', '2', '0'],
  ['message.timestamp.type', 'LogAppendTime', 'CreateTime', 'x'],
  ['message.timestamp.before.max.ms', '5', '-1', '0'],
  ['segment.bytes', '1048576', '14', '1', '100'],
  ['segment.ms', '1', '0', '7'],
  ['leader.replication.throttled.replicas', '0:1', '*', '0:1,1:1', 'x'],
  ['unclean.leader.election.enable', 'true', 'x'],
  ['errors.deadletterqueue.topic.name', 'x', ''],
  ['no.such', '1'],
]

const groupConfigs: readonly (readonly [string, ...string[]])[] = [
  ['consumer.session.timeout.ms', '45000', '50000', '1', '70000'],
  ['consumer.heartbeat.interval.ms', '5000', '6000', '50000', '15000'],
  ['share.session.timeout.ms', '45000', '60000', '70000'],
  ['share.heartbeat.interval.ms', '5000', '15000', '16000'],
  ['share.record.lock.duration.ms', '15000', '60000', '14999'],
  ['share.delivery.count.limit', '2', '10', '1', '11'],
  ['share.partition.max.record.locks', '100', '10000', '99'],
  ['share.auto.offset.reset', 'earliest', 'latest', 'by_duration:PT1H', 'never'],
  ['share.isolation.level', 'read_committed', 'read_uncommitted', 'x'],
  ['share.renew.acknowledge.enable', 'true', 'false', 'x'],
  ['streams.num.standby.replicas', '0', '2', '3'],
  ['no.such', '1'],
]

/** None that other walks would feel. */
const brokerConfigs: readonly (readonly [string, ...string[]])[] = [
  ['log.cleaner.threads', '1', '2', '3', '0', '9'],
  ['log.cleaner.backoff.ms', '15000', '1'],
  ['log.retention.ms', '600000000', '-1', 'x'],
  ['log.cleaner.min.cleanable.ratio', '0.4', '1.5', '0'],
  ['num.io.threads', '8', '9', '4', '3', '17'],
  ['background.threads', '10', '11', '30'],
  ['max.connections.per.ip', '1000', '0', 'x'],
  ['log.segment.delete.delay.ms', '60000', '70000', '-1'],
  ['no.such', '1'],
]

const metricsConfigs: readonly (readonly [string, ...string[]])[] = [
  ['interval.ms', '100', '1000', '99', '3600001'],
  ['metrics', '*', 'org.apache', '', 'a,b'],
  ['match', 'client_id=a', 'x=a', 'client_id=[', ''],
  ['no.such', '1'],
]

const loggerConfigs: readonly (readonly [string, ...string[]])[] = [
  ['root', 'INFO', 'DEBUG', 'x'],
  ['no.such.logger', 'INFO', 'x'],
]

type Resource = { type: number; name: string; rows: readonly (readonly [string, ...string[]])[] }

async function alter(side: Side, chance: Chance, names: readonly string[], validateOnly: boolean, label: string) {
  const all: Resource[] = [
    ...names.slice(0, 3).map((name) => ({ type: 2, name, rows: topicConfigs })),
    { type: 4, name: '1', rows: brokerConfigs },
    { type: 4, name: '', rows: brokerConfigs },
    { type: 16, name: `${chance.walk}-m`, rows: metricsConfigs },
    { type: 32, name: `${chance.walk}-g`, rows: groupConfigs },
    { type: 8, name: '1', rows: loggerConfigs },
  ]
  const chosen = chance.often(0.7) ? [chance.one(all)] : chance.some(all, 0.4)
  // Whoever replaces a broker's configurations takes away what other scenarios rely on.
  const replaces = chance.often(0.15) && chosen.every(({ type }) => type !== 4)
  const asked = chosen.map(({ type, name, rows }) => ({
    resourceType: type,
    resourceName: name,
    configs: chance.several(rows, 2 / rows.length).map(([key, ...values]) => {
      const configOperation = replaces ? 0 : chance.mostly(0, 1, 2, 3)
      return { name: key, configOperation, value: configOperation === 1 ? null : chance.one(values) }
    }),
  }))
  const said = asked.map(
    ({ resourceType, configs }) => `${resourceType} ${configs.map((each) => Object.values(each).join(' '))}`,
  )
  const table = replaces ? alterConfigs : incrementalAlterConfigs
  await side.ask(`${label}: ${said.join('; ')}`, table, chance.below(2), { resources: asked, validateOnly })
  await side.settle()
  const resources = chosen.map(({ type, name, rows }) => ({
    resourceType: type,
    resourceName: name,
    configurationKeys: rows.map(([key]) => key),
  }))
  const described = resources.filter(({ resourceType }) => resourceType !== 8)
  await side.ask(`${label}: shown`, describeConfigs, 4, {
    resources: described,
    includeSynonyms: true,
    includeDocumentation: false,
  })
}

async function look(side: Side, names: readonly string[], label: string): Promise<void> {
  const topics = names.map((name) => ({ name }))
  await side.ask(label, metadata, 12, { topics, allowAutoTopicCreation: false })
  await side.ask(label, describeTopicPartitions, 0, { topics, responsePartitionLimit: 4, cursor: null })
}
