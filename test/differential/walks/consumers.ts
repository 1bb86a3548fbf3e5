// Members of one group that come, go and say whatever a heartbeat can say, with their right epochs and with others, the epochs of
// commits and reads among them.

import { offsetCommit } from '../../../protocol/messages/08-offset-commit.ts'
import { offsetFetch } from '../../../protocol/messages/09-offset-fetch.ts'
import { Member, withoutInterval } from '../scenarios/consumer-groups.ts'
import { coordinatorOf } from '../scenarios/groups.ts'
import type { Side } from '../side.ts'
import { type Chance, walks } from './chance.ts'

const stepCount = 80

export async function consumerWalks(side: Side): Promise<void> {
  await coordinatorOf(side, 'wc')
  await withoutInterval(side)
  await walks('wc', side, (chance) => walk(side, chance))
}

async function walk(side: Side, chance: Chance): Promise<void> {
  const groupId = chance.walk
  const topics = [`${groupId}-x`, `${groupId}-y`]
  await side.topic(topics[0]!, 3)
  await side.topic(topics[1]!, 2)
  await coordinatorOf(side, groupId)
  const instances = ['i', 'j', null, null, null]
  const members = instances.map((instanceId, n) => {
    const words = {
      groupId,
      instanceId,
      serverAssignor: 'range',
      subscribedTopicNames: chance.mostly(topics, [topics[0]!]),
    }
    return new Member(side, `${groupId}-${'abcde'[n]}`, words)
  })
  // Who takes the place of another instance.
  members.push(new Member(side, `${groupId}-f`, { ...members[0]!.words }))
  for (let step = 0; step < stepCount; step++) {
    const member = chance.one(members)
    const label = `step ${step}`
    if (chance.often(0.2)) await offsets(side, chance, member, groupId, topics[0]!, label)
    else await member.beat(label, partOf(chance, member, topics))
    if (member.epoch < 0) member.epoch = 0
  }
}

/** What the member says besides. */
function partOf(chance: Chance, member: Member, topics: readonly string[]): Record<string, unknown> {
  const part: Record<string, unknown> = {}
  // In the same order on both sides.
  const ids = topics.map((name) => member.side.idOf(name))
  const has = ids.flatMap((id) => member.owned.filter(({ topicId }) => topicId === id))
  if (chance.often(0.1)) part['subscribedTopicNames'] = chance.some(topics)
  if (chance.often(0.05)) part['rebalanceTimeoutMs'] = chance.one([20_000, 40_000])
  if (chance.often(0.05)) part['rackId'] = chance.one(['r', 's'])
  if (chance.often(0.05)) part['serverAssignor'] = chance.one(['range', null])
  if (member.epoch > 0 && chance.often(0.5)) {
    const less = has.map(({ topicId, partitions }) => ({ topicId, partitions: chance.some(partitions) }))
    part['topicPartitions'] = chance.mostly(has, less, [], null)
  }
  if (chance.often(0.25)) {
    const { epoch } = member
    part['memberEpoch'] = chance.one([-1, -1, -2, 0, epoch - 1, epoch + 1, epoch - 2])
    if (part['memberEpoch'] === 0)
      Object.assign(part, { ...member.words, rebalanceTimeoutMs: 30_000, topicPartitions: [] })
  }
  return part
}

async function offsets(
  side: Side,
  chance: Chance,
  member: Member,
  groupId: string,
  topic: string,
  label: string,
): Promise<void> {
  const memberEpoch = chance.mostly(member.epoch, member.epoch - 1, member.epoch + 1, -1)
  const memberId = chance.often(0.9) ? member.id : ''
  const partitionIndex = chance.below(3)
  const partitions = [{ partitionIndex, committedOffset: chance.below(100), committedMetadata: '' }]
  const version = chance.one([2, 7, 8, 9])
  const who = { groupId, memberId, generationIdOrMemberEpoch: memberEpoch, groupInstanceId: null }
  const body = { ...who, retentionTimeMs: -1, topics: [{ name: topic, partitions }] }
  await side.ask(`${label} ${member.id} commits as ${memberEpoch}`, offsetCommit, version, body)
  const groups = [{ groupId, memberId, memberEpoch, topics: null }]
  await side.ask(`${label} ${member.id} reads as ${memberEpoch}`, offsetFetch, 9, { groups, requireStable: true })
}
