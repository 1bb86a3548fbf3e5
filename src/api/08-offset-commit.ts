// OffsetCommit: keeps how far a group has read. Topics must exist here; the rest is the group's to judge.

import type { ErrorName } from '../../protocol/errors.ts'
import { offsetCommit } from '../../protocol/messages/08-offset-commit.ts'
import type { Request } from '../../protocol/schema.ts'
import type { Commit } from '../group/offset-requests.ts'
import { type Context, serve } from './api.ts'
import { commitTopics } from './committed-topics.ts'
import { elsewhere } from './coordinator.ts'

/** Topics by id. */
const byIdFrom = 10

export const offsetCommitApi = serve(offsetCommit, [2, 10], async (request, context) => {
  const { version } = context
  const topics = await commitTopics(request.topics, version >= byIdFrom, context, async (commits) => {
    return await commit(request, commits, context)
  })
  return { topics }
})

async function commit(
  request: Request<typeof offsetCommit>,
  commits: Commit[],
  context: Context,
): Promise<ErrorName[]> {
  const wrong = elsewhere('group', request.groupId, context)
  if (wrong !== undefined) return commits.map(() => wrong)
  return context.groups.offsets.commit({
    groupId: request.groupId,
    generation: request.generationIdOrMemberEpoch,
    memberId: request.memberId,
    instanceId: request.groupInstanceId,
    knowsEpochs: context.version >= 9,
    partitions: commits,
    // KIP-211 took it out of the request with v5.
    retentionMs: request.retentionTimeMs === -1 ? null : request.retentionTimeMs,
    commits,
  })
}
