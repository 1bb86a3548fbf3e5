// DeleteTopics: by name, and from version 6 also by id.

import { errors, Refusal } from '../../protocol/errors.ts'
import { deleteTopics } from '../../protocol/messages/20-delete-topics.ts'
import { zeroUuid } from '../../protocol/schema.ts'
import { isJsonTopic } from '../branch/json-topics.ts'
import { storageRefusal } from '../broker/storage-refusal.ts'
import type { Topic } from '../broker/topic.ts'
import { type Context, serve } from './api.ts'
import { MutationQuota } from './mutation-quota.ts'
import { namedTwice } from './named-twice.ts'

/** From here on a client can be told that it has changed enough. */
const strictFrom = 5

type Asked = { name: string | null; topicId: string }

/** From here on a client knows the word for it. */
const disabledFrom = 3

function find({ name, topicId }: Asked, { broker, version }: Context): Topic | Refusal {
  if (!broker.config.boolean('delete.topic.enable'))
    return new Refusal(version < disabledFrom ? 'INVALID_REQUEST' : 'TOPIC_DELETION_DISABLED')
  if (name !== null && topicId !== zeroUuid) {
    return new Refusal('INVALID_REQUEST', 'You may not specify both topic name and topic id.')
  }
  if (name === null && topicId === zeroUuid) {
    return new Refusal('INVALID_REQUEST', 'Neither topic name nor id were specified.')
  }
  if (name === null) return broker.topicById(topicId) ?? new Refusal('UNKNOWN_TOPIC_ID')
  return broker.topic(name) ?? new Refusal('UNKNOWN_TOPIC_OR_PARTITION')
}

/** What is to be deleted, by whichever of its two names. */
function subject({ name, topicId }: Asked, { broker }: Context): string {
  const topic = name === null ? broker.topicById(topicId) : broker.topic(name)
  return name !== null && topicId !== zeroUuid ? `${name} ${topicId}` : (topic?.id ?? name ?? topicId)
}

/** A topic that is to be deleted twice stays: one answer, with all the names it was called. */
const refuseTwice = ({ name, topicId }: Asked, before: Asked = { name: null, topicId: zeroUuid }) => ({
  name: name ?? before.name,
  topicId: topicId === zeroUuid ? before.topicId : topicId,
  errorCode: errors.INVALID_REQUEST.code,
  errorMessage: 'The topic is named more than once.',
})

async function remove(asked: Asked, quota: MutationQuota, context: Context) {
  const topic = find(asked, context)
  if (topic instanceof Refusal) return { ...asked, errorCode: topic.code, errorMessage: topic.message }
  if (topic.config.protection === 'frozen') {
    const message = `'${topic.name}' has branch.protect=frozen; set it to none before you delete the topic.`
    return { ...asked, errorCode: errors.POLICY_VIOLATION.code, errorMessage: message }
  }
  if (isJsonTopic(topic.name)) {
    const refusal = new Refusal('POLICY_VIOLATION', `'${topic.name}' tells of branches; it cannot be deleted.`)
    return { ...asked, errorCode: refusal.code, errorMessage: refusal.message }
  }
  const dear = quota.take(topic.partitions.length)
  if (dear !== undefined) return { ...asked, errorCode: dear.code, errorMessage: dear.message }
  const named = { name: topic.name, topicId: topic.id }
  try {
    await context.branches.deleteTopic(topic, context.client.principal)
    return { ...named, errorCode: 0, errorMessage: null }
  } catch (cause) {
    const refusal = storageRefusal(cause)
    return { ...named, errorCode: refusal.code, errorMessage: refusal.message }
  }
}

export const deleteTopicsApi = serve(deleteTopics, [1, 6], async (request, context) => {
  const asked: Asked[] =
    context.version >= 6 ? request.topics : request.topicNames.map((name) => ({ name, topicId: zeroUuid }))
  const twice = namedTwice(asked.map((one) => subject(one, context)))
  const once = asked.filter((one) => !twice.has(subject(one, context)))
  const refused = new Map<string, ReturnType<typeof refuseTwice>>()
  for (const one of asked) {
    const about = subject(one, context)
    if (twice.has(about)) refused.set(about, refuseTwice(one, refused.get(about)))
  }
  const quota = new MutationQuota(context, strictFrom)
  const removed = await Promise.all(once.map(({ name, topicId }) => remove({ name, topicId }, quota, context)))
  return { throttleTimeMs: quota.throttleTimeMs, responses: [...removed, ...refused.values()] }
})
