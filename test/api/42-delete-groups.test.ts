// DeleteGroups, from the wire and back.

import { expect, test } from 'vitest'
import { deleteGroups } from '../../protocol/messages/42-delete-groups.ts'
import { deleteGroupsApi } from '../../src/api/42-delete-groups.ts'
import { groupId } from '../group/world.ts'
import { Desk, versionsOf } from './asked.ts'

test.each(versionsOf(deleteGroupsApi))('v%i: empty groups go, others are named with the reason', async (version) => {
  const desk = await Desk.open()
  await desk.world.stable(1)
  const commits = [{ topic: 't', topicId: null, partition: 0, offset: 1, leaderEpoch: -1, metadata: '' }]
  const simple = { groupId: 'tool', generation: -1, memberId: '', instanceId: null, retentionMs: null }
  await desk.world.groups.offsets.commit({ ...simple, commits })
  const request = { groupsNames: [groupId, 'tool', 'nobody', 'tool'] }
  const answer = await desk.ask(deleteGroupsApi, deleteGroups, version, request)
  const why = (sentence: string) => (version < 3 ? null : sentence)
  expect(answer.results).toEqual([
    { groupId, errorCode: 68, errorMessage: why('The group still has members.') },
    { groupId: 'tool', errorCode: 0, errorMessage: null },
    { groupId: 'nobody', errorCode: 69, errorMessage: why('The group does not exist.') },
  ])
  expect([desk.world.state(), desk.world.state('tool')]).toEqual(['Stable', 'GROUP_ID_NOT_FOUND'])
})
