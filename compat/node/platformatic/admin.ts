// What an administrator asks through @platformatic/kafka.
import type { Admin } from '@platformatic/kafka'
import { Refused, type Verbs } from '../../hand.ts'
import type { Handlers } from '../serve.ts'

const resources = { topic: 2, broker: 4, group: 32 } as const
const sources: { readonly [number: number]: string } = {
  1: 'DYNAMIC_TOPIC_CONFIG',
  2: 'DYNAMIC_BROKER_CONFIG',
  3: 'DYNAMIC_DEFAULT_BROKER_CONFIG',
  4: 'STATIC_BROKER_CONFIG',
  5: 'DEFAULT_CONFIG',
  8: 'GROUP_CONFIG',
}
const places = { start: -2n, end: -1n, youngest: -3n } as const

async function offsetAt(admin: Admin, { topic, partition, at, isolation }: Verbs['offsetAt']['ask']): Promise<number> {
  const timestamp = typeof at === 'number' ? BigInt(at) : places[at]
  const [found] = await admin.listOffsets({
    topics: [{ name: topic, partitions: [{ partitionIndex: partition, timestamp }] }],
    isolationLevel: isolation === 'read_committed' ? 1 : 0,
  })
  return Number(found!.partitions[0]!.offset)
}

export async function placeAt(
  admin: Admin,
  topic: string,
  partition: number,
  from: Verbs['openConsumer']['ask']['from'],
  isolation: Verbs['offsetAt']['ask']['isolation'],
): Promise<number> {
  if (typeof from === 'object' && 'offset' in from) return from.offset
  const where = { topic, partition, ...(isolation && { isolation }) }
  const offset = await offsetAt(admin, { ...where, at: typeof from === 'object' ? from.timestamp : from })
  return offset >= 0 ? offset : offsetAt(admin, { ...where, at: 'end' }) // no record is that young: what comes is
}

async function partitionsOf(admin: Admin, topic: string) {
  const { topics } = await admin.metadata({ topics: [topic], forceUpdate: true })
  const found = topics.get(topic)
  if (found === undefined) throw new Refused('UNKNOWN_TOPIC_OR_PARTITION', topic)
  return Array.from({ length: found.partitionsCount }, (_, i) => found.partitions[i]!)
}

export function adminVerbs(admin: Admin): Handlers {
  return {
    async createTopic({ topic, partitions, configs = {} }) {
      const wanted = Object.entries(configs).map(([name, value]) => ({ name, value }))
      await admin.createTopics({ topics: [topic], partitions, replicas: 1, configs: wanted })
      return {}
    },
    async deleteTopic({ topic }) {
      await admin.deleteTopics({ topics: [topic] })
      return {}
    },
    async listTopics() {
      return { topics: await admin.listTopics({ includeInternals: true }) }
    },
    async describeTopic({ topic }) {
      const partitions = await partitionsOf(admin, topic)
      return { partitions: partitions.map(({ leader, replicas }, partition) => ({ partition, leader, replicas })) }
    },
    async createPartitions({ topic, count }) {
      await admin.createPartitions({ topics: [{ name: topic, count, assignments: null }] })
      return {}
    },
    async describeConfigs({ resource, name, names }) {
      const asked = { resourceType: resources[resource], resourceName: name, configurationKeys: names }
      const [found] = await admin.describeConfigs({ resources: [asked as never] })
      const entries = found!.configs.map(
        ({ name, value, readOnly, configSource }) =>
          [name, { value: value ?? null, source: sources[configSource] ?? null, readOnly }] as const,
      )
      return { configs: Object.fromEntries(entries) }
    },
    async alterConfigs({ resource, name, set = {}, remove = [] }) {
      const configs = [
        ...Object.entries(set).map(([name, value]) => ({ name, value, configOperation: 0 as const })),
        ...remove.map((name) => ({ name, configOperation: 1 as const })),
      ]
      const asked = { resourceType: resources[resource], resourceName: name, configs }
      await admin.incrementalAlterConfigs({ resources: [asked as never] })
      return {}
    },
    async replaceConfigs({ name, configs }) {
      const wanted = Object.entries(configs).map(([name, value]) => ({ name, value }))
      const asked = { resourceType: resources.topic, resourceName: name, configs: wanted }
      await admin.alterConfigs({ resources: [asked as never] })
      return {}
    },
    async deleteRecords({ topic, partition, before }) {
      await admin.deleteRecords({ topics: [{ name: topic, partitions: [{ partition, offset: BigInt(before) }] }] })
      return {}
    },
    async offsetAt(asked) {
      return { offset: await offsetAt(admin, asked) }
    },
    async describeCluster() {
      const { id, brokers, controllerId } = await admin.metadata({ topics: [], forceUpdate: true })
      const named = [...brokers].map(([id, { host, port }]) => ({ id, host, port }))
      return { clusterId: id, controller: controllerId, brokers: named }
    },
    async describeLogDirs({ topic }) {
      const partitions = (await partitionsOf(admin, topic)).map((_, i) => i)
      const sizes = new Map<number, number>()
      for (const { results } of await admin.describeLogDirs({ topics: [{ name: topic, partitions }] })) {
        for (const { partitions } of results.flatMap(({ topics }) => topics)) {
          for (const { partitionIndex, partitionSize } of partitions) {
            sizes.set(partitionIndex, (sizes.get(partitionIndex) ?? 0) + Number(partitionSize))
          }
        }
      }
      return { sizes: [...sizes].sort(([a], [b]) => a - b).map(([partition, bytes]) => ({ partition, bytes })) }
    },
    async listGroups({ states, types }) {
      const filters = { ...(states && { states: states as never }), types: types ?? [] }
      const found = await admin.listGroups(filters)
      return {
        groups: [...found.values()].map(({ id, state, groupType }) => ({
          group: id,
          state: spelled(state),
          type: groupType || null,
        })),
      }
    },
    async describeGroup({ group }) {
      const found = (await admin.describeGroups({ groups: [group] })).get(group)
      if (found === undefined) throw new Refused('GROUP_ID_NOT_FOUND', group)
      const members = [...found.members.values()].map(({ clientId, groupInstanceId, assignments }) => ({
        clientId,
        instance: groupInstanceId ?? null,
        assigned: [...(assignments?.values() ?? [])].flatMap(({ topic, partitions }) =>
          partitions.map((partition) => ({ topic, partition })),
        ),
      }))
      return { state: spelled(found.state), protocol: found.protocol, members }
    },
    async deleteGroup({ group }) {
      await admin.deleteGroups({ groups: [group] })
      return {}
    },
    async groupOffsets({ group, topic }) {
      const [found] = await admin.listConsumerGroupOffsets({ groups: [group] })
      const partitions = found?.topics.find(({ name }) => name === topic)?.partitions ?? []
      const known = partitions.filter(({ committedOffset }) => committedOffset >= 0n)
      return {
        offsets: known.map(({ partitionIndex, committedOffset, metadata }) => ({
          partition: partitionIndex,
          offset: Number(committedOffset),
          metadata: metadata ?? '',
        })),
      }
    },
    async setGroupOffsets({ group, offsets }) {
      const topics = offsets.map(({ topic, partition, offset }) => ({
        name: topic,
        partitionOffsets: [{ partition, offset: BigInt(offset) }],
      }))
      await admin.alterConsumerGroupOffsets({ groupId: group, topics })
      return {}
    },
    async deleteGroupOffsets({ group, topic, partitions }) {
      await admin.deleteConsumerGroupOffsets({
        groupId: group,
        topics: [{ name: topic, partitionIndexes: partitions }],
      })
      return {}
    },
    async setQuotas({ clientId, quotas }) {
      const ops = Object.entries(quotas).map(([key, value]) =>
        value === null ? { key, remove: true as const } : { key, value, remove: false as const },
      )
      await admin.alterClientQuotas({
        entries: [{ entities: [{ entityType: 'client-id', entityName: clientId }], ops: ops as never }],
      })
      return {}
    },
    async describeQuotas({ clientId }) {
      const component = { entityType: 'client-id', matchType: 0, match: clientId }
      const found = await admin.describeClientQuotas({ components: [component as never], strict: true })
      return { quotas: Object.fromEntries(found.flatMap(({ values }) => values.map(({ key, value }) => [key, value]))) }
    },
  }
}

/** PREPARING_REBALANCE as Kafka spells it. */
function spelled(state: string): string {
  return state.includes('_') || state === state.toUpperCase()
    ? state.toLowerCase().replaceAll(/(^|_)([a-z])/g, (_, __, letter: string) => letter.toUpperCase())
    : state
}
