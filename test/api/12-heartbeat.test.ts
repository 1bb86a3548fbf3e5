// Heartbeat, from the wire and back.

import { expect, test } from 'vitest'
import { heartbeat } from '../../protocol/messages/12-heartbeat.ts'
import { heartbeatApi } from '../../src/api/12-heartbeat.ts'
import { groupId } from '../group/world.ts'
import { Desk, versionsOf } from './asked.ts'

test.each(versionsOf(heartbeatApi))('v%i: fine, an old generation, an unknown member', async (version) => {
  const desk = await Desk.open()
  const [a] = await desk.world.stable(1)
  const beat = async (memberId: string, generationId: number) =>
    (await desk.ask(heartbeatApi, heartbeat, version, { groupId, memberId, generationId })).errorCode
  const { memberId } = a!
  expect([await beat(memberId, 1), await beat(memberId, 0), await beat('nobody', 1)]).toEqual([0, 22, 25])
})
