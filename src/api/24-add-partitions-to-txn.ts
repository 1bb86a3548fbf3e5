// AddPartitionsToTxn: a producer says where its transaction will write. From v4 on brokers ask for many producers at once,
// and may ask only whether a partition was added (KIP-890).

import { type ErrorName, errors } from '../../protocol/errors.ts'
import { addPartitionsToTxn } from '../../protocol/messages/24-add-partitions-to-txn.ts'
import type { Element, Request } from '../../protocol/schema.ts'
import { toldTopics } from '../branch/json-topics.ts'
import type { Place } from '../transaction/markers.ts'
import type { Claim } from '../transaction/rules.ts'
import { type Context, serve } from './api.ts'
import { transactionElsewhere } from './coordinator.ts'
import { fencedAsOf } from './fenced.ts'

type Topics = Request<typeof addPartitionsToTxn>['v3AndBelowTopics']
/** By place, in the order of `placesOf`. */
type Outcomes = readonly ErrorName[]
type Transaction = Element<Request<typeof addPartitionsToTxn>, 'transactions'>

/** KIP-890: who adds in the batched form takes a new epoch with every end. */
export const batchedFrom = 4

export const addPartitionsToTxnApi = serve(addPartitionsToTxn, [0, 5], async (request, context) => {
  if (context.version >= batchedFrom) {
    const results = await Promise.all(request.transactions.map((transaction) => addOne(transaction, context)))
    return { errorCode: 0, resultsByTransaction: results }
  }
  const { v3AndBelowTopics: topics } = request
  const claim = {
    id: request.v3AndBelowTransactionalId,
    producerId: request.v3AndBelowProducerId,
    producerEpoch: request.v3AndBelowProducerEpoch,
  }
  const outcomes = await add(claim, topics, 0, context)
  return {
    resultsByTopicV3AndBelow: resultsOf(
      topics,
      outcomes.map((error) => fencedAsOf(context.version, 2, error)),
    ),
  }
})

async function addOne({ transactionalId, topics, verifyOnly, ...producer }: Transaction, context: Context) {
  const claim = { id: transactionalId, ...producer }
  const outcomes = verifyOnly ? verify(claim, topics, context) : await add(claim, topics, 2, context)
  return { transactionalId, topicResults: resultsOf(topics, outcomes) }
}

/** All or none: one partition that cannot be added keeps the others out. */
async function add(claim: Claim, topics: Topics, clientVersion: number, context: Context): Promise<Outcomes> {
  const places = placesOf(topics)
  const refused = refusePlaces(places, context)
  if (refused !== undefined) return refused
  const error =
    transactionElsewhere(claim.id, context) ?? (await context.transactions.add(claim, places, clientVersion))
  return places.map(() => error)
}

function verify(claim: Claim, topics: Topics, context: Context): Outcomes {
  const places = placesOf(topics)
  const wrong = transactionElsewhere(claim.id, context)
  const refused = refusePlaces(places, context) ?? (wrong && places.map(() => wrong))
  return refused ?? context.transactions.verify(claim, places)
}

function refusePlaces(places: readonly Place[], { broker, version, rights }: Context): Outcomes | undefined {
  const refusals = places.map(({ topic: name, partition }): ErrorName => {
    // Clients may not write into the broker's own topics in a transaction, be they there or not; brokers may, for clients.
    if (toldTopics.has(name)) return 'TOPIC_AUTHORIZATION_FAILED'
    if (version < batchedFrom && ownTopics.has(name)) return 'TOPIC_AUTHORIZATION_FAILED'
    if (version < batchedFrom && rights?.topic('WRITE', name) === false) return 'TOPIC_AUTHORIZATION_FAILED'
    const topic = broker.topic(name)
    if (topic?.config.view !== undefined) return 'INVALID_TOPIC_EXCEPTION'
    return topic?.partitions[partition] === undefined ? 'UNKNOWN_TOPIC_OR_PARTITION' : 'NONE'
  })
  if (refusals.every((error) => error === 'NONE')) return undefined
  return refusals.map((error) => (error === 'NONE' ? 'OPERATION_NOT_ATTEMPTED' : error))
}

const ownTopics: ReadonlySet<string> = new Set(['__consumer_offsets', '__transaction_state', '__share_group_state'])

const placesOf = (topics: Topics): Place[] =>
  topics.flatMap(({ name: topic, partitions }) => partitions.map((partition) => ({ topic, partition })))

function resultsOf(topics: Topics, outcomes: Outcomes) {
  let next = 0
  return topics.map(({ name, partitions }) => ({
    name,
    resultsByPartition: partitions.map((partitionIndex) => ({
      partitionIndex,
      partitionErrorCode: errors[outcomes[next++]!].code,
    })),
  }))
}
