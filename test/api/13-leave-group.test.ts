// LeaveGroup, from the wire and back.

import { expect, test } from 'vitest'
import { leaveGroup } from '../../protocol/messages/13-leave-group.ts'
import { leaveGroupApi } from '../../src/api/13-leave-group.ts'
import { groupId } from '../group/world.ts'
import { Desk, versionsOf } from './asked.ts'

test.each(versionsOf(leaveGroupApi))('v%i: one member goes, one was never there', async (version) => {
  const desk = await Desk.open()
  const [a] = await desk.world.stable(2)
  const leave = async (memberId: string, id = groupId) => {
    const request = { groupId: id, memberId, members: [{ memberId, groupInstanceId: null, reason: null }] }
    const { errorCode, members } = await desk.ask(leaveGroupApi, leaveGroup, version, request)
    return [errorCode, ...members.map((member) => member.errorCode)]
  }
  expect(await leave(a!.memberId)).toEqual(version < 3 ? [0] : [0, 0])
  expect(await leave('nobody')).toEqual(version < 3 ? [25] : [0, 25])
  expect(await leave('nobody', 'no group')).toEqual(version < 3 ? [25] : [0, 25])
  expect(await leave('nobody', '')).toEqual([24])
})

test('v3: several at once, static ones by name alone', async () => {
  const desk = await Desk.open()
  const [a] = await desk.world.stable(2, (i) => ({ instanceId: i === 0 ? null : 'two' }))
  const members = [
    { memberId: a!.memberId, groupInstanceId: null, reason: null },
    { memberId: '', groupInstanceId: 'two', reason: null },
  ]
  const answer = await desk.ask(leaveGroupApi, leaveGroup, 3, { groupId, members })
  expect(answer.members).toEqual(members.map(({ reason: _, ...member }) => ({ ...member, errorCode: 0 })))
  expect(desk.world.state()).toBe('Empty')
})
