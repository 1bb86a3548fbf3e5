// SyncGroup, from the wire and back.

import { expect, test } from 'vitest'
import { syncGroup } from '../../protocol/messages/14-sync-group.ts'
import { syncGroupApi } from '../../src/api/14-sync-group.ts'
import { groupId } from '../group/world.ts'
import { Desk, versionsOf } from './asked.ts'

const names = { protocolType: 'consumer', protocolName: 'range' }

test.each(versionsOf(syncGroupApi))('v%i: the leader hands in, and gets its own', async (version) => {
  const desk = await Desk.open()
  const { memberId } = await desk.world.join()
  const assignments = [{ memberId, assignment: Buffer.from('mine') }]
  const request = { groupId, generationId: 1, memberId, ...names, assignments }
  const answer = await desk.ask(syncGroupApi, syncGroup, version, request)
  expect([answer.errorCode, answer.assignment.toString()]).toEqual([0, 'mine'])
  const { protocolType, protocolName } = answer
  expect({ protocolType, protocolName }).toEqual(version < 5 ? { protocolType: null, protocolName: null } : names)
})

test.each([
  [null, 'range', 23],
  ['consumer', null, 23],
  ['connect', 'range', 23],
  ['consumer', 'range', 0],
] as const)('v5: a member that believes in %s and %s: %i', async (protocolType, protocolName, errorCode) => {
  const desk = await Desk.open()
  const { memberId } = await desk.world.join()
  const request = { groupId, generationId: 1, memberId, protocolType, protocolName, assignments: [] }
  const answer = await desk.ask(syncGroupApi, syncGroup, 5, request)
  expect(answer).toMatchObject({ errorCode, assignment: Buffer.alloc(0) })
})
