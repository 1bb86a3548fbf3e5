// CreateTopics: each topic is checked by itself, the good ones are made together, and the answer says so when they are there.

import { errors, Refusal, StorageError } from '../../protocol/errors.ts'
import { createTopics } from '../../protocol/messages/19-create-topics.ts'
import type { Request } from '../../protocol/schema.ts'
import { branchEntries } from '../broker/branch-entries.ts'
import type { Broker, NewTopic } from '../broker/broker.ts'
import type { ConfigEntry } from '../broker/config-entry.ts'
import { refuseView } from '../broker/new-view.ts'
import type { Topic } from '../broker/topic.ts'
import { type Context, serve } from './api.ts'
import { asMeant, forkTopics, type NewBranch, refusedWith } from './fork-topics.ts'
import { MutationQuota } from './mutation-quota.ts'
import { namedTwice } from './named-twice.ts'
import { checkAssignments } from './replica-assignment.ts'

/** From here on the answer tells configurations. */
const tellingFrom = 5
/** From here on a client can be told that it has changed enough. */
const strictFrom = 6

type Asked = Request<typeof createTopics>['topics'][number]

function newTopic({ name, numPartitions, replicationFactor, assignments, configs }: Asked): NewTopic {
  const ordered = [...assignments].sort((a, b) => a.partitionIndex - b.partitionIndex)
  return {
    name,
    ...(assignments.length > 0 ? { replicas: ordered.map(({ brokerIds }) => brokerIds) } : { replicationFactor }),
    partitions: assignments.length > 0 ? assignments.length : numPartitions,
    configs: Object.fromEntries(configs.map((config) => [config.name, config.value])),
  }
}

function checkReplicas({ numPartitions, replicationFactor, assignments }: Asked, { placement }: Broker) {
  if (assignments.length > 0) {
    if (numPartitions !== -1 || replicationFactor !== -1) {
      const message =
        'A manual partition assignment was specified, but numPartitions or replicationFactor was not set to -1.'
      return new Refusal('INVALID_REQUEST', message)
    }
    const lists = assignments.map(({ partitionIndex, brokerIds }) => ({ partition: partitionIndex, brokerIds }))
    return checkAssignments(lists, 0, placement)
  }
  if (replicationFactor === -1 || replicationFactor > 0) return undefined
  return new Refusal('INVALID_REPLICATION_FACTOR', 'Replication factor must be larger than 0, or -1 for the default.')
}

function checkReach({ replicationFactor }: Asked, { placement }: Broker): Refusal | undefined {
  if (replicationFactor <= placement.ids.length) return undefined
  const message = `The target replication factor of ${replicationFactor} cannot be reached: ${placement.ids.length} broker(s) are registered.`
  return new Refusal('INVALID_REPLICATION_FACTOR', message)
}

/** In the order of a real broker: name, configurations, replicas, number of partitions, and whether there are as many brokers. */
const check = (asked: Asked, broker: Broker): Refusal | undefined =>
  broker.checkNewTopic({ ...newTopic(asked), partitions: -1 }) ??
  checkReplicas(asked, broker) ??
  broker.checkPartitions(newTopic(asked)) ??
  checkReach(asked, broker)

/** Of a branch the fork is judged with all the others of its cut. */
function judge(asked: Asked, broker: Broker, branches: Map<string, NewBranch>): Refusal | undefined {
  const meant = asMeant(newTopic(asked), broker)
  if (meant instanceof Refusal) return broker.checkTopicName(asked.name) ?? meant
  if (!('branch' in meant)) return check(asked, broker)
  branches.set(asked.name, meant)
  return checkReplicas(asked, broker) ?? checkReach(asked, broker)
}

function forbidden(asked: Asked, { branches, client }: Context): Refusal | undefined {
  const of = newTopic(asked).configs['view.of']
  return of ? branches.forbiddenView(of, asked.name, client) : undefined
}

/** Kafka keeps its own log under this name, and takes it from everybody. */
const metadataTopic = '__cluster_metadata'

function refuse(asked: Asked, branches: Map<string, NewBranch>, context: Context): Refusal | undefined {
  if (asked.name === metadataTopic)
    return new Refusal('INVALID_REQUEST', `'${metadataTopic}' is a name of the broker's own: choose another one.`)
  const judged = judge(asked, context.broker, branches)
  if (context.rights?.create(asked.name) === false)
    return new Refusal('TOPIC_AUTHORIZATION_FAILED', 'Authorization failed.')
  return judged ?? forbidden(asked, context)
}

const refused = (name: string, refusal: Refusal) => ({
  name,
  errorCode: refusal.code,
  errorMessage: refusal.message,
  numPartitions: -1,
  replicationFactor: -1,
  configs: [],
})

const made = (topic: Topic, broker: Broker, version: number) => ({
  name: topic.name,
  topicId: topic.id,
  errorCode: errors.NONE.code,
  errorMessage: null,
  numPartitions: topic.partitions.length,
  replicationFactor: topic.partitions[0]!.leadership.replicas.length,
  configs:
    version < tellingFrom
      ? []
      : describe([...topic.config.describe(everything), ...branchEntries(topic, broker, everything, true)]),
})

const everything = { synonyms: false, documentation: false, names: null }
const describe = (entries: ConfigEntry[]) =>
  entries
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, value, readOnly, configSource, isSensitive }) => ({
      name,
      value,
      readOnly,
      configSource,
      isSensitive,
    }))

const factorOf = ({ name, replicas, replicationFactor = -1 }: NewTopic, broker: Broker): number => {
  if (replicas !== undefined) return replicas[0]!.length
  return replicationFactor === -1 ? broker.defaultReplicationFactor(name) : replicationFactor
}

/** What is named twice is answered once, after the others. */
const inOrder = (topics: readonly Asked[], twice: ReadonlySet<string>): Asked[] => [
  ...topics.filter(({ name }) => !twice.has(name)),
  ...new Map(topics.filter(({ name }) => twice.has(name)).map((asked) => [asked.name, asked])).values(),
]

export const createTopicsApi = serve(createTopics, [2, 7], async (request, context) => {
  const { broker } = context
  const quota = new MutationQuota(context, strictFrom)
  const branches = new Map<string, NewBranch>()
  const partitionsOf = (asked: Asked) => {
    const { partitions } = newTopic(asked)
    const parent = branches.get(asked.name)?.branch.from
    const source = broker.topic(parent ?? newTopic(asked).configs['view.of'] ?? '')
    if (parent !== undefined || source !== undefined) return source?.partitions.length ?? 1
    return partitions === -1 ? broker.defaultPartitions(asked.name) : partitions
  }
  const refusals = new Map<string, Refusal>()
  const names = request.topics.map(({ name }) => name)
  const twice = namedTwice(names)
  for (const asked of request.topics) {
    const { name } = asked
    const refusal = twice.has(name)
      ? new Refusal('INVALID_REQUEST', 'Duplicate topic name.')
      : refuse(asked, branches, context)
    // Changes that are only tried out cost as much, as in Kafka.
    const outcome = refusal ?? quota.take(partitionsOf(asked))
    if (outcome !== undefined) refusals.set(name, outcome)
  }
  const forked = request.topics.flatMap(({ name }) => {
    const branch = refusals.has(name) ? undefined : branches.get(name)
    return branch === undefined ? [] : [branch]
  })
  for (const [name, refusal] of refusedWith(refusals, request.topics.map(newTopic))) refusals.set(name, refusal)
  const forks = await forkTopics(
    forked.filter(({ topic }) => !refusals.has(topic.name)),
    request.validateOnly,
    context,
  )
  for (const [name, refusal] of forks) refusals.set(name, refusal)
  for (const asked of request.topics) {
    // Its source may have gone while branches were made.
    const gone = refusals.has(asked.name) || branches.has(asked.name) ? undefined : refuseView(newTopic(asked), broker)
    if (gone !== undefined) refusals.set(asked.name, gone)
  }
  const good = request.topics.filter(({ name }) => !refusals.has(name) && !branches.has(name))
  if (request.validateOnly) {
    return {
      throttleTimeMs: quota.throttleTimeMs,
      topics: inOrder(request.topics, twice).map((asked) => {
        const refusal = refusals.get(asked.name)
        if (refusal !== undefined) return refused(asked.name, refusal)
        const wanted = newTopic(asked)
        const configs = branches.get(asked.name)?.branch.rest ?? wanted.configs
        return {
          name: asked.name,
          errorCode: errors.NONE.code,
          errorMessage: null,
          numPartitions: partitionsOf(asked),
          replicationFactor: factorOf(wanted, broker),
          configs: describe(broker.topicConfig(configs).describe(everything)),
        }
      }),
    }
  }
  try {
    await broker.createTopics(good.map(newTopic))
  } catch (cause) {
    if (!(cause instanceof StorageError)) throw cause
    for (const { name } of good) refusals.set(name, new Refusal('KAFKA_STORAGE_ERROR', cause.message))
  }
  return {
    throttleTimeMs: quota.throttleTimeMs,
    topics: inOrder(request.topics, twice).map(({ name }) => {
      const refusal = refusals.get(name)
      if (refusal !== undefined) return refused(name, refusal)
      const topic = broker.topic(name)
      if (topic !== undefined) return made(topic, broker, context.version)
      const message = `'${name}' was made, and somebody has deleted it since. Ask again if it is to be there.`
      return refused(name, new Refusal('UNKNOWN_TOPIC_OR_PARTITION', message))
    }),
  }
})
