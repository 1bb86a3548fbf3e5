// FindCoordinator, from the wire and back.

import { expect, test } from 'vitest'
import { findCoordinator } from '../../protocol/messages/10-find-coordinator.ts'
import { findCoordinatorApi } from '../../src/api/10-find-coordinator.ts'
import { Desk, versionsOf } from './asked.ts'

const all = versionsOf(findCoordinatorApi)
/** The one coordinator that was asked for, wherever the version keeps it. */
async function find(version: number, keyType: number, key: string) {
  const desk = await Desk.open()
  const answer = await desk.ask(findCoordinatorApi, findCoordinator, version, { key, keyType, coordinatorKeys: [key] })
  return version < 4 ? answer : answer.coordinators[0]!
}

test.each(all)('v%i: this broker, at the address of the listener the client came by', async (version) => {
  for (const keyType of version === 0 ? [0] : [0, 1])
    expect(await find(version, keyType, 'k')).toMatchObject({
      nodeId: 7,
      host: 'INSIDE.example',
      port: 9192,
      errorCode: 0,
    })
})

test.each(all.filter((version) => version >= 1))(
  'v%i: coordinators of shares and of nothing are INVALID_REQUEST',
  async (version) => {
    for (const keyType of [2, 3, -1])
      expect(await find(version, keyType, 'k')).toMatchObject({ nodeId: -1, host: '', port: -1, errorCode: 42 })
  },
)

test('v4: many keys at once', async () => {
  const desk = await Desk.open()
  const request = { keyType: 0, coordinatorKeys: ['a', 'b', ''] }
  const answer = await desk.ask(findCoordinatorApi, findCoordinator, 4, request)
  expect(answer.coordinators.map(({ key, errorCode }) => [key, errorCode])).toEqual([
    ['a', 0],
    ['b', 0],
    ['', 0],
  ])
})

test('share partitions have a coordinator from v6 on, numbered below 0 or not, as in Kafka', async () => {
  const key = `g:${'A'.repeat(22)}`
  for (const version of all.filter((of) => of >= 1 && of < 6))
    expect(await find(version, 2, `${key}:0`)).toMatchObject({ nodeId: -1, errorCode: 42 })
  for (const partition of ['0', '-1', '+1'])
    expect(await find(6, 2, `${key}:${partition}`)).toMatchObject({ nodeId: 7, errorCode: 0 })
})
