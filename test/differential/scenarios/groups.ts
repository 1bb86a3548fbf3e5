// Classic groups and committed offsets: joining, syncing, beating, leaving, committing, in every version, rightly and not.

import { offsetCommit } from '../../../protocol/messages/08-offset-commit.ts'
import { offsetFetch } from '../../../protocol/messages/09-offset-fetch.ts'
import { findCoordinator } from '../../../protocol/messages/10-find-coordinator.ts'
import { joinGroup } from '../../../protocol/messages/11-join-group.ts'
import { heartbeat } from '../../../protocol/messages/12-heartbeat.ts'
import { leaveGroup } from '../../../protocol/messages/13-leave-group.ts'
import { syncGroup } from '../../../protocol/messages/14-sync-group.ts'
import { describeGroups } from '../../../protocol/messages/15-describe-groups.ts'
import { listGroups } from '../../../protocol/messages/16-list-groups.ts'
import { deleteGroups } from '../../../protocol/messages/42-delete-groups.ts'
import { offsetDelete } from '../../../protocol/messages/47-offset-delete.ts'
import { zeroUuid } from '../../../protocol/schema.ts'
import { subscriptionOf } from '../../group/consumers.ts'
import type { Side } from '../side.ts'
import { pause } from '../side.ts'

/** Kafka makes the topic that remembers groups when the first client looks for a coordinator. */
export async function coordinatorOf(side: Side, groupId: string): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const found = await side.quiet(findCoordinator, 3, { key: groupId, keyType: 0 })
    if (found.errorCode === 0) {
      const { groups } = await side.quiet(describeGroups, 5, { groups: [groupId], includeAuthorizedOperations: false })
      if (groups[0]!.errorCode === 0) return
    }
    await pause(50)
  }
  throw new Error(`${side.bootstrap}: no coordinator for ${groupId}`)
}

const joining = {
  sessionTimeoutMs: 30_000,
  rebalanceTimeoutMs: 30_000,
  memberId: '',
  groupInstanceId: null,
  protocolType: 'consumer',
  protocols: [{ name: 'range', metadata: subscriptionOf(['gr']) }],
}

/** A group of one member; resolves to its id, which answers hide from then on. */
async function member(side: Side, groupId: string, groupInstanceId: string | null = null): Promise<string> {
  await coordinatorOf(side, groupId)
  const { memberId } = await side.quiet(joinGroup, 3, { ...joining, groupId })
  if (groupInstanceId === null) {
    side.remember(memberId, '<member>')
    return memberId
  }
  await side.quiet(leaveGroup, 2, { groupId, memberId })
  const fixed = await side.quiet(joinGroup, 5, { ...joining, groupId, groupInstanceId })
  side.remember(fixed.memberId, '<member>')
  return fixed.memberId
}

export async function joinGroupScenario(side: Side): Promise<void> {
  await side.topic('gr', 2)
  await coordinatorOf(side, 'jg')
  const ask = (label: string, part: object) => side.each(label, joinGroup, { ...joining, groupId: 'jg', ...part })
  await ask('no group', { groupId: '' })
  for (const sessionTimeoutMs of [-1, 0, 5999, 1_800_001])
    await ask(`session ${sessionTimeoutMs}`, { sessionTimeoutMs })
  await ask('no protocol type', { protocolType: '' })
  await ask('no protocols', { protocols: [] })
  await ask('an unknown member of an unknown group', { memberId: 'nobody' })
  await ask('an unknown static member of an unknown group', { memberId: 'nobody', groupInstanceId: 'i' })
  const memberId = await member(side, 'jg')
  await ask('an unknown member', { memberId: 'nobody' })
  await ask('another protocol', { protocols: [{ name: 'other', metadata: Buffer.alloc(0) }] })
  await ask('another protocol type', { protocolType: 'connect' })
  await ask('an unknown static member', { memberId: 'nobody', groupInstanceId: 'i' })
  await ask('the member as a static one', { memberId, groupInstanceId: 'i' })
  await ask('the member again', { memberId })
  await side.each('the member syncs', syncGroup, (version) => ({
    groupId: 'jg',
    generationId: 13,
    memberId,
    groupInstanceId: null,
    protocolType: version >= 5 ? 'consumer' : null,
    protocolName: version >= 5 ? 'range' : null,
    assignments: [{ memberId, assignment: Buffer.from('mine') }],
  }))
  await side.quiet(leaveGroup, 2, { groupId: 'jg', memberId })
}

export async function groupMembersScenario(side: Side): Promise<void> {
  const groupId = 'gm'
  const memberId = await member(side, groupId)
  const who = { groupId, memberId, generationId: 1, groupInstanceId: null }
  const wrong: [string, object][] = [
    ['no group', { groupId: '' }],
    ['an unknown group', { groupId: 'gm-none' }],
    ['an unknown member', { memberId: 'nobody' }],
    ['no member', { memberId: '' }],
    ['an old generation', { generationId: 0 }],
    ['no generation', { generationId: -1 }],
    ['an unknown instance', { groupInstanceId: 'i' }],
  ]
  const sync = (label: string, part: object) =>
    side.each(label, syncGroup, (version) => ({
      ...who,
      protocolType: version >= 5 ? 'consumer' : null,
      protocolName: version >= 5 ? 'range' : null,
      assignments: [],
      ...part,
    }))
  const beat = (label: string, part: object) =>
    side.each(label, heartbeat, (version) => {
      const body = { ...who, ...part }
      return version >= 3 || body.groupInstanceId === null ? body : undefined
    })
  await beat('before it is assigned', {})
  for (const [label, part] of wrong) await beat(label, part)
  for (const [label, part] of wrong)
    if (!('groupInstanceId' in part))
      await sync(label, { ...part, assignments: [{ memberId, assignment: Buffer.from('x') }] })
  await side.ask('no protocol', syncGroup, 5, { ...who, protocolType: null, protocolName: null, assignments: [] })
  await side.ask('another type', syncGroup, 5, {
    ...who,
    protocolType: 'connect',
    protocolName: 'range',
    assignments: [],
  })
  await side.ask('another protocol', syncGroup, 5, {
    ...who,
    protocolType: 'consumer',
    protocolName: 'o',
    assignments: [],
  })
  await side.each('completing', describeGroups, { groups: [groupId], includeAuthorizedOperations: true })
  await commits(side, 'while it is assigned', groupId, memberId, 1)
  await sync('the leader assigns', { assignments: [{ memberId, assignment: Buffer.from('mine') }] })
  await beat('in a stable group', {})
  for (const [label, part] of wrong) await beat(`${label}, stable`, part)
  for (const id of [groupId, 'gm-none', ''])
    await side.each(`«${id}», stable`, describeGroups, { groups: [id], includeAuthorizedOperations: true })
  for (const statesFilter of [[], ['Stable'], ['stable', 'Empty'], ['nonsense']])
    for (const typesFilter of [[], ['classic'], ['CONSUMER'], ['nonsense']]) {
      const label = `states ${statesFilter} types ${typesFilter}`
      await side.each(label, listGroups, (version) => {
        if ((version < 4 && statesFilter.length > 0) || (version < 5 && typesFilter.length > 0)) return undefined
        return { statesFilter, typesFilter }
      })
    }
  await commits(side, 'in a stable group', groupId, memberId, 1)
  await deletions(side, groupId)
  await leaves(side, groupId, memberId)
  await deletions(side, groupId)
}

async function commits(side: Side, when: string, groupId: string, memberId: string, generation: number): Promise<void> {
  const topicId = side.idOf('gr')
  const asked: [string, string, number, object][] = [
    ['its member', memberId, generation, {}],
    ['its member, an unknown instance', memberId, generation, { groupInstanceId: 'i' }],
    ['an old generation', memberId, generation - 1, {}],
    ['a later generation', memberId, generation + 1, {}],
    ['no generation', memberId, -1, {}],
    ['an unknown member', 'nobody', generation, {}],
    ['nobody', '', -1, {}],
    ['nobody, a generation', '', generation, {}],
    ['no group', memberId, generation, { groupId: '' }],
    ['an unknown group', memberId, generation, { groupId: 'gm-none' }],
  ]
  for (const [label, member, epoch, part] of asked)
    await side.each(`${when}: ${label}`, offsetCommit, (version) => {
      const topic = (name: string, id: string, partitions: number[]) => ({
        name: version >= 10 ? '' : name,
        topicId: version >= 10 ? id : zeroUuid,
        partitions: partitions.map((partitionIndex) => ({
          partitionIndex,
          committedOffset: 7,
          committedLeaderEpoch: 0,
          committedMetadata: partitionIndex === 1 ? 'x'.repeat(5000) : 'words',
        })),
      })
      const named = { groupInstanceId: null, ...part }
      if (version < 7 && named.groupInstanceId !== null) return undefined
      return {
        groupId,
        generationIdOrMemberEpoch: epoch,
        memberId: member,
        retentionTimeMs: -1,
        ...named,
        topics: [topic('gr', topicId, [0, 1, 9]), topic('gr-none', 'AAAAAAAAAAAAAAAAAAAAAQ', [0])],
      }
    })
  const groups = [groupId, 'gm-none', ''].map((id) => ({ groupId: id, memberId: null, memberEpoch: -1 }))
  await side.each(`${when}: what is committed`, offsetFetch, (version) => {
    const topic = {
      name: version >= 10 ? '' : 'gr',
      topicId: version >= 10 ? topicId : zeroUuid,
      partitionIndexes: [0, 1, 9],
    }
    return version >= 8
      ? { groups: groups.map((group) => ({ ...group, topics: [topic] })), requireStable: false }
      : { groupId, topics: [topic], requireStable: false }
  })
  await side.each(`${when}: all that is committed`, offsetFetch, (version) => {
    if (version < 2) return undefined
    return version >= 8
      ? { groups: groups.map((group) => ({ ...group, topics: null })), requireStable: true }
      : { groupId, topics: null, requireStable: false }
  })
}

async function deletions(side: Side, groupId: string): Promise<void> {
  const topics = ['gr', 'gr-none'].map((name) => ({ name, partitions: [{ partitionIndex: 0 }, { partitionIndex: 9 }] }))
  for (const id of [groupId, 'gm-none', ''])
    await side.each(`offsets of «${id}»`, offsetDelete, { groupId: id, topics })
  for (const id of [groupId, 'gm-none', '']) await side.each(`group «${id}»`, deleteGroups, { groupsNames: [id] })
}

async function leaves(side: Side, groupId: string, memberId: string): Promise<void> {
  await side.each('an unknown member', leaveGroup, (version) =>
    version >= 3
      ? {
          groupId,
          members: [
            { memberId: 'nobody', groupInstanceId: null },
            { memberId: '', groupInstanceId: 'i' },
            { memberId: '', groupInstanceId: null },
            { memberId, groupInstanceId: 'i' },
          ],
        }
      : { groupId, memberId: 'nobody' },
  )
  for (const id of ['', 'gm-none'])
    await side.each(`a member of «${id}»`, leaveGroup, (version) =>
      version >= 3 ? { groupId: id, members: [{ memberId, groupInstanceId: null }] } : { groupId: id, memberId },
    )
  await side.ask('the member', leaveGroup, 5, { groupId, members: [{ memberId, groupInstanceId: null }] })
  await side.ask('the member again', leaveGroup, 5, { groupId, members: [{ memberId, groupInstanceId: null }] })
  await side.each('empty', describeGroups, { groups: [groupId], includeAuthorizedOperations: false })
}

export async function staticMembersScenario(side: Side): Promise<void> {
  const groupId = 'gs'
  const memberId = await member(side, groupId, 'i')
  const sync = {
    groupId,
    generationId: 3,
    memberId,
    groupInstanceId: 'i',
    protocolType: 'consumer',
    protocolName: 'range',
  }
  await side.ask('assigns', syncGroup, 5, { ...sync, assignments: [{ memberId, assignment: Buffer.from('mine') }] })
  const who = { groupId, memberId, generationId: 3, groupInstanceId: 'i' }
  await side.ask('beats', heartbeat, 4, who)
  await side.ask('beats without its instance', heartbeat, 4, { ...who, groupInstanceId: null })
  await side.ask('another beats in its name', heartbeat, 4, { ...who, memberId: 'nobody' })
  await side.ask('another instance', heartbeat, 4, { ...who, groupInstanceId: 'j' })
  for (const version of side.versionsOf(joinGroup)) {
    if (version < 5) continue
    const again = await side.quiet(joinGroup, version, { ...joining, groupId, groupInstanceId: 'i' })
    side.remember(again.memberId, '<member>')
    await side.ask(`v${version}: the id before`, heartbeat, 4, who)
    who.memberId = again.memberId
    await side.ask(`v${version}: comes back`, joinGroup, version, {
      ...joining,
      groupId,
      memberId: 'x',
      groupInstanceId: 'i',
    })
    await side.ask(`v${version}: goes on`, heartbeat, 4, who)
  }
  await side.each('described', describeGroups, { groups: [groupId], includeAuthorizedOperations: false })
  await side.ask('leaves by instance', leaveGroup, 5, { groupId, members: [{ memberId: '', groupInstanceId: 'i' }] })
}
