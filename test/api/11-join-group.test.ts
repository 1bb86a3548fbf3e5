// JoinGroup, from the wire and back.

import { expect, test } from 'vitest'
import { joinGroup } from '../../protocol/messages/11-join-group.ts'
import { joinGroupApi } from '../../src/api/11-join-group.ts'
import { protocolsNamed } from '../group/world.ts'
import { Desk, versionsOf } from './asked.ts'

const request = {
  groupId: 'g',
  sessionTimeoutMs: 10_000,
  rebalanceTimeoutMs: 60_000,
  memberId: '',
  protocolType: 'consumer',
  protocols: protocolsNamed('range'),
}
const all = versionsOf(joinGroupApi)

test.each(all)('v%i: KIP-394 asks for the id from v4 on; then the member is in', async (version) => {
  const desk = await Desk.open()
  const ask = (memberId: string) => desk.ask(joinGroupApi, joinGroup, version, { ...request, memberId })
  const first = await ask('')
  expect(first.errorCode).toBe(version < 4 ? 0 : 79)
  expect(first.memberId).toMatch(/^reader-/)
  const joined = version < 4 ? first : await ask(first.memberId)
  expect(joined).toMatchObject({ errorCode: 0, generationId: 1, protocolName: 'range', leader: first.memberId })
  expect(joined.protocolType).toBe(version < 7 ? null : 'consumer')
  expect(joined.members).toMatchObject([{ memberId: first.memberId, metadata: request.protocols[0]!.metadata }])
  expect(desk.world.describe('g').members[0]).toMatchObject({ clientId: 'reader', clientHost: '/10.0.0.9' })
})

test.each(all)('v%i: a refusal names no protocol, as null where the version knows null', async (version) => {
  const desk = await Desk.open()
  const answer = await desk.ask(joinGroupApi, joinGroup, version, { ...request, groupId: '', memberId: 'm' })
  expect(answer).toMatchObject({ errorCode: 24, generationId: -1, memberId: 'm', leader: '', members: [] })
  expect(answer.protocolName).toBe(version < 7 ? '' : null)
})

test('v0 has no rebalance timeout: its session timeout serves', async () => {
  const desk = await Desk.open()
  const ask = (memberId: string) => desk.ask(joinGroupApi, joinGroup, 0, { ...request, memberId })
  const { memberId } = await ask('')
  let isAnswered = false
  const second = ask('').then((answer) => {
    isAnswered = true
    return answer
  })
  await desk.world.clock.pass(9_999)
  expect(isAnswered).toBe(false)
  await desk.world.clock.pass(1)
  expect((await second).members.map((member) => member.memberId)).not.toContain(memberId)
})

test('v9 alone may be told to skip the assignment (KIP-814)', async () => {
  for (const version of [8, 9]) {
    const desk = await Desk.open()
    const ask = () => desk.ask(joinGroupApi, joinGroup, version, { ...request, groupInstanceId: 'one' })
    const { memberId, generationId } = await ask()
    const sync = {
      groupId: 'g',
      memberId,
      generation: generationId,
      instanceId: 'one',
      protocolType: null,
      protocol: null,
    }
    await desk.world.groups.classic.sync({ ...sync, assignments: [] })
    const back = await ask()
    expect([back.generationId, back.skipAssignment, back.members.length]).toEqual(
      version === 9 ? [1, true, 1] : [1, false, 0],
    )
    expect(back.leader === back.memberId).toBe(version === 9)
  }
})
