// DescribeGroups, from the wire and back.

import { expect, test } from 'vitest'
import { describeGroups } from '../../protocol/messages/15-describe-groups.ts'
import { describeGroupsApi } from '../../src/api/15-describe-groups.ts'
import { groupId, subscription } from '../group/world.ts'
import { Desk, versionsOf } from './asked.ts'

const all = versionsOf(describeGroupsApi)

test.each(all)('v%i: a stable group with its member', async (version) => {
  const desk = await Desk.open()
  const [a] = await desk.world.stable(1, () => ({ instanceId: 'one' }))
  const answer = await desk.ask(describeGroupsApi, describeGroups, version, { groups: [groupId] })
  expect(answer.groups[0]).toMatchObject({
    errorCode: 0,
    errorMessage: null,
    groupId,
    groupState: 'Stable',
    protocolType: 'consumer',
    protocolData: 'range',
    authorizedOperations: -2147483648,
  })
  expect(answer.groups[0]!.members).toEqual([
    {
      memberId: a!.memberId,
      groupInstanceId: version < 4 ? null : 'one',
      clientId: 'client',
      clientHost: '/127.0.0.1',
      memberMetadata: subscription('orders'),
      memberAssignment: Buffer.from('of 0'),
    },
  ])
})

test.each(all)('v%i: a group that is not is a dead one, and an error from v6 on', async (version) => {
  const desk = await Desk.open()
  const request = { groups: ['nobody'], includeAuthorizedOperations: version >= 3 }
  const answer = await desk.ask(describeGroupsApi, describeGroups, version, request)
  expect(answer.groups[0]).toMatchObject({
    errorCode: version < 6 ? 0 : 69,
    errorMessage: version < 6 ? null : 'Group nobody not found.',
    groupState: 'Dead',
    // 3400: read, delete, describe, describe configs, alter configs (real broker, 4.3.1).
    authorizedOperations: version >= 3 && version < 6 ? 3400 : -2147483648,
  })
})
