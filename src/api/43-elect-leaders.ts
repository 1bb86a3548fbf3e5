// ElectLeaders: asks for another leader. A partition of a single broker has one copy, which leads: there is nothing to elect.

import { errors, Refusal } from '../../protocol/errors.ts'
import { electLeaders } from '../../protocol/messages/43-elect-leaders.ts'
import { noLeader } from '../broker/leadership.ts'
import { storageRefusal } from '../broker/storage-refusal.ts'
import { type Context, serve } from './api.ts'

/** KIP-183 and KIP-460. */
const preferred = 0
const unclean = 1
const electionTypes = [preferred, unclean]

async function elect(
  topic: string,
  index: number,
  electionType: number,
  { broker }: Context,
): Promise<Refusal | undefined> {
  if (!electionTypes.includes(electionType)) {
    return new Refusal('INVALID_REQUEST', `Unknown election type ${electionType}`)
  }
  const found = broker.topic(topic)
  if (found === undefined) return new Refusal('UNKNOWN_TOPIC_OR_PARTITION', `No such topic as ${topic}`)
  const partition = found.partitions[index]
  if (partition === undefined) {
    return new Refusal('UNKNOWN_TOPIC_OR_PARTITION', `No such partition as ${topic}-${index}`)
  }
  const { replicas, isr, leader } = partition.leadership
  const needed = electionType === preferred ? leader !== replicas[0] : leader === noLeader
  if (!needed) return new Refusal('ELECTION_NOT_NEEDED', 'Leader election not needed for topic partition.')
  const { isRunning } = broker.placement
  const chosen = electionType === preferred ? replicas.find((node, i) => i === 0 && isr.includes(node)) : undefined
  const next = electionType === preferred ? chosen : replicas.find(isRunning)
  if (next === undefined) {
    return new Refusal(electionType === preferred ? 'PREFERRED_LEADER_NOT_AVAILABLE' : 'ELIGIBLE_LEADERS_NOT_AVAILABLE')
  }
  try {
    await broker.leaderships.move(found, partition, next)
    return undefined
  } catch (cause) {
    return storageRefusal(cause)
  }
}

async function electAll(electionType: number, context: Context) {
  return Promise.all(
    context.broker.topics().map(async ({ name, partitions }) => {
      const results = await Promise.all(partitions.map(({ index }) => result(name, index, electionType, context)))
      const notNeeded = errors.ELECTION_NOT_NEEDED.code
      return { topic: name, partitionResult: results.filter(({ errorCode }) => errorCode !== notNeeded) }
    }),
  )
}

async function result(topic: string, partitionId: number, electionType: number, context: Context) {
  const refusal = await elect(topic, partitionId, electionType, context)
  return { partitionId, errorCode: refusal?.code ?? 0, errorMessage: refusal?.message ?? null }
}

export const electLeadersApi = serve(electLeaders, [0, 2], async (request, context) => {
  const { electionType, topicPartitions } = request
  const isKnown = electionTypes.includes(electionType)
  const errorCode = isKnown || topicPartitions?.length === 0 ? 0 : new Refusal('INVALID_REQUEST').code
  // Asked for all, a real broker names each topic and only those partitions that had an election.
  if (topicPartitions === null) {
    return { errorCode, replicaElectionResults: isKnown ? await electAll(electionType, context) : [] }
  }
  return {
    errorCode,
    replicaElectionResults: await Promise.all(
      topicPartitions.map(async ({ topic, partitions }) => ({
        topic,
        partitionResult: await Promise.all(partitions.map((index) => result(topic, index, electionType, context))),
      })),
    ),
  }
})
