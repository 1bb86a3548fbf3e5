// DescribeQuorum: who votes over the metadata log (KIP-595, KIP-836): the first node, alone; other nodes follow. The log has
// the name of Kafka's, though no client can read it.

import { createHash } from 'node:crypto'
import { Refusal } from '../../protocol/errors.ts'
import { describeQuorum } from '../../protocol/messages/55-describe-quorum.ts'
import { type Context, serve } from './api.ts'

const metadataTopic = '__cluster_metadata'
const leaderEpoch = 1

/** The folder's id: made of the cluster's, since each has exactly one of the other. */
const directoryId = (clusterId: string): string =>
  createHash('sha256').update(clusterId).digest().subarray(0, 16).toString('base64url').replace(/^-/, 'A')

const notHere = (partitionIndex: number) => {
  const { code: errorCode, message: errorMessage } = new Refusal('UNKNOWN_TOPIC_OR_PARTITION')
  const none = { leaderId: 0, leaderEpoch: 0, highWatermark: 0, currentVoters: [], observers: [] }
  return { partitionIndex, errorCode, errorMessage, ...none }
}

function quorum({ broker }: Context) {
  const leaderId = broker.placement.controller()
  const highWatermark = broker.metadataEndOffset
  const now = broker.clock.now()
  const replica = (replicaId: number) => ({
    replicaId,
    replicaDirectoryId: directoryId(replicaId === leaderId ? broker.clusterId : `${broker.clusterId} ${replicaId}`),
    logEndOffset: highWatermark,
    lastFetchTimestamp: now,
    lastCaughtUpTimestamp: now,
  })
  const others = broker.placement.running.filter((node) => node !== leaderId)
  const quorate = {
    leaderId,
    leaderEpoch,
    highWatermark,
    currentVoters: [replica(leaderId)],
    observers: others.map(replica),
  }
  return { partitionIndex: 0, errorCode: 0, errorMessage: '', ...quorate }
}

export const describeQuorumApi = serve(describeQuorum, [0, 2], ({ topics }, context) => {
  const { broker, client } = context
  const [first] = topics
  // The one partition by itself, or nothing is known of any.
  const isAsked =
    topics.length === 1 &&
    first!.topicName === metadataTopic &&
    first!.partitions.length === 1 &&
    first!.partitions[0]!.partitionIndex === 0
  if (!isAsked) {
    const answers = topics.map(({ topicName, partitions }) => ({
      topicName,
      partitions: partitions.map(({ partitionIndex }) => notHere(partitionIndex)),
    }))
    return { errorCode: 0, errorMessage: '', topics: answers, nodes: [] }
  }
  const { nodeId, host, port } = broker.placement.endpoint(client.listener, broker.placement.controller())
  return {
    errorCode: 0,
    errorMessage: '',
    topics: [{ topicName: metadataTopic, partitions: [quorum(context)] }],
    nodes: [{ nodeId, listeners: [{ name: client.listener, host, port }] }],
  }
})
