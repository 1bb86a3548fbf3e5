// ElectLeaders: asks for another leader. A partition has one copy, which leads: there is never anything to elect.

import { Refusal } from '../../protocol/errors.ts'
import { electLeaders } from '../../protocol/messages/43-elect-leaders.ts'
import { type Context, serve } from './api.ts'

/** Preferred (KIP-183) and unclean (KIP-460). */
const electionTypes = [0, 1]

function elect(topic: string, index: number, electionType: number, { broker }: Context): Refusal {
  if (!electionTypes.includes(electionType)) {
    return new Refusal('INVALID_REQUEST', `Unknown election type ${electionType}`)
  }
  const partitions = broker.topic(topic)?.partitions
  if (partitions === undefined) return new Refusal('UNKNOWN_TOPIC_OR_PARTITION', `No such topic as ${topic}`)
  if (partitions[index] === undefined) {
    return new Refusal('UNKNOWN_TOPIC_OR_PARTITION', `No such partition as ${topic}-${index}`)
  }
  return new Refusal('ELECTION_NOT_NEEDED', 'Leader election not needed for topic partition.')
}

export const electLeadersApi = serve(electLeaders, [0, 2], (request, context) => {
  const { electionType, topicPartitions } = request
  const isKnown = electionTypes.includes(electionType)
  const errorCode = isKnown || topicPartitions?.length === 0 ? 0 : new Refusal('INVALID_REQUEST').code
  // Asked for all, a real broker names each topic and only those partitions that had an election.
  if (topicPartitions === null) {
    const topics = isKnown ? context.broker.topics() : []
    return { errorCode, replicaElectionResults: topics.map(({ name }) => ({ topic: name, partitionResult: [] })) }
  }
  return {
    errorCode,
    replicaElectionResults: topicPartitions.map(({ topic, partitions }) => ({
      topic,
      partitionResult: partitions.map((partitionId) => {
        const { code, message } = elect(topic, partitionId, electionType, context)
        return { partitionId, errorCode: code, errorMessage: message }
      }),
    })),
  }
})
