// CreatePartitions: a topic grows; it never shrinks.

import { Refusal } from '../../protocol/errors.ts'
import { createPartitions } from '../../protocol/messages/37-create-partitions.ts'
import type { Request } from '../../protocol/schema.ts'
import { storageRefusal } from '../broker/storage-refusal.ts'
import { type Context, serve } from './api.ts'
import { MutationQuota } from './mutation-quota.ts'
import { namedTwice } from './named-twice.ts'
import { checkAssignments } from './replica-assignment.ts'

/** From here on a client can be told that it has changed enough. */
const strictFrom = 3

type Asked = Request<typeof createPartitions>['topics'][number]

function check({ name, count, assignments }: Asked, { broker }: Context): Refusal | undefined {
  const topic = broker.topic(name)
  if (topic === undefined) return new Refusal('UNKNOWN_TOPIC_OR_PARTITION')
  const current = topic.partitions.length
  const notOurs = broker.own.checkPartitions(name, count)
  if (notOurs !== undefined) return notOurs
  const refuse = (why: string) => new Refusal('INVALID_PARTITIONS', why)
  const { view, protection } = topic.config
  if (view !== undefined) return refuse(`'${name}' is a view of '${view.of}' and grows with it: ask for that topic.`)
  if (protection === 'frozen') {
    const message = `'${name}' has branch.protect=frozen and stays as it is; set it to none, then it can grow.`
    return new Refusal('POLICY_VIOLATION', message)
  }
  if (count === current) return refuse(`Topic already has ${current} partition(s).`)
  if (count < current) {
    return refuse(`The topic ${name} currently has ${current} partition(s); ${count} would not be an increase.`)
  }
  if (count > broker.partitionsMax) {
    return new Refusal('POLICY_VIOLATION', `${count} partitions; ${broker.partitionsMax} is the most here.`)
  }
  if (assignments === null) return undefined
  if (assignments.length !== count - current) {
    const message = `Attempted to add ${count - current} additional partition(s), but ${assignments.length} assignment(s) were specified.`
    return new Refusal('INVALID_REPLICA_ASSIGNMENT', message)
  }
  const lists = assignments.map(({ brokerIds }, i) => ({ partition: current + i, brokerIds }))
  return checkAssignments(lists, current, broker.placement)
}

async function grow(asked: Asked, twice: boolean, validateOnly: boolean, quota: MutationQuota, context: Context) {
  const { name, count, assignments } = asked
  const replicas = assignments?.map(({ brokerIds }) => brokerIds)
  const answer = (refusal?: Refusal) => ({
    name,
    errorCode: refusal?.code ?? 0,
    errorMessage: refusal?.message ?? null,
  })
  if (twice) return answer(new Refusal('INVALID_REQUEST', 'Duplicate topic name.'))
  const added = count - (context.broker.topic(name)?.partitions.length ?? 0)
  const refusal = check(asked, context) ?? quota.take(added)
  if (refusal !== undefined || validateOnly) return answer(refusal)
  try {
    await context.broker.createPartitions(context.broker.topic(name)!, count, replicas)
    return answer()
  } catch (cause) {
    return answer(storageRefusal(cause))
  }
}

export const createPartitionsApi = serve(createPartitions, [0, 3], async (request, context) => {
  const twice = namedTwice(request.topics.map(({ name }) => name))
  const quota = new MutationQuota(context, strictFrom)
  // One answer for a name, however often it stands there.
  const asked = [...new Map(request.topics.map((topic) => [topic.name, topic])).values()]
  const results = asked.map((topic) => grow(topic, twice.has(topic.name), request.validateOnly, quota, context))
  const done = await Promise.all(results)
  return { throttleTimeMs: quota.throttleTimeMs, results: done }
})
