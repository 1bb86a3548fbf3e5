// ListGroups, from the wire and back.

import { expect, test } from 'vitest'
import { listGroups } from '../../protocol/messages/16-list-groups.ts'
import { listGroupsApi } from '../../src/api/16-list-groups.ts'
import { Groups } from '../../src/group/coordinator.ts'
import { Desk, versionsOf } from './asked.ts'

async function stableAndEmpty() {
  const desk = await Desk.open()
  await desk.world.stable(1)
  const commits = [{ topic: 't', topicId: null, partition: 0, offset: 1, leaderEpoch: -1, metadata: '' }]
  const simple = { groupId: 'tool', generation: -1, memberId: '', instanceId: null, retentionMs: null }
  await desk.world.groups.offsets.commit({ ...simple, commits })
  return desk
}

test.each(versionsOf(listGroupsApi))(
  'v%i: all groups, with state and type where the version has them',
  async (version) => {
    const desk = await stableAndEmpty()
    const answer = await desk.ask(listGroupsApi, listGroups, version, {})
    const groupType = version < 5 ? '' : 'classic'
    expect(answer.groups).toEqual([
      { groupId: 'readers', protocolType: 'consumer', groupState: version < 4 ? '' : 'Stable', groupType },
      { groupId: 'tool', protocolType: '', groupState: version < 4 ? '' : 'Empty', groupType },
    ])
  },
)

test.each([
  [[], [], ['readers', 'tool']],
  [['Stable'], [], ['readers']],
  [['stable', 'EMPTY'], [], ['readers', 'tool']],
  [['Nonsense'], [], []],
  [[], ['Classic'], ['readers', 'tool']],
  [[], ['consumer'], []],
  [[], ['share', 'classic'], ['readers', 'tool']],
  [['Empty'], ['classic'], ['tool']],
])('of the states %j and the types %j: %j', async (statesFilter, typesFilter, expected) => {
  const desk = await stableAndEmpty()
  const answer = await desk.ask(listGroupsApi, listGroups, 5, { statesFilter, typesFilter })
  expect(answer.groups.map(({ groupId }) => groupId)).toEqual(expected)
})

test('while the log is read there is no list, rather than half of one', async () => {
  const desk = await stableAndEmpty()
  desk.world.groups = new Groups(desk.world)
  expect(await desk.ask(listGroupsApi, listGroups, 5, {})).toMatchObject({ errorCode: 14, groups: [] })
})
