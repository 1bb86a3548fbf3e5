// ApiVersions: what is served, who may ask, and who was sent to the wrong address.

import { describe, expect, test } from 'vitest'
import { metadata } from '../../protocol/messages/03-metadata.ts'
import { apiVersions } from '../../protocol/messages/18-api-versions.ts'
import { readAnswer, requestFrame } from '../net/wire.ts'
import { errorOf, Line } from './line.ts'

const good = { clientSoftwareName: 'wire', clientSoftwareVersion: '1.0' }

test.each([0, 1, 2, 3, 4, 5])('v%i: every key that is served, with its versions', async (version) => {
  await using line = await Line.open()
  const { errorCode, apiKeys } = await line.ask(apiVersions, version, good)
  expect(errorCode).toBe(0)
  const keys = apiKeys.map(({ apiKey }) => apiKey)
  expect(keys).toEqual([...keys].sort((a, b) => a - b))
  const range = (key: number) => apiKeys.find(({ apiKey }) => apiKey === key)
  expect(range(0)).toMatchObject({ minVersion: 0, maxVersion: 13 })
  expect(range(1)).toMatchObject({ minVersion: 4, maxVersion: 18 })
  expect(range(18)).toMatchObject({ minVersion: 0, maxVersion: 5 })
  expect(range(71)).toBeUndefined()
})

test.each([6, 99, 32767])(
  'v%i is not known: the answer has version 0, error 35 and the range to choose from',
  async (version) => {
    await using line = await Line.open()
    const frame = requestFrame(apiVersions, 0, {})
    frame.writeInt16BE(version, 6)
    line.client.send(frame)
    const answer = readAnswer(apiVersions, 0, (await line.client.receive()) as Buffer)
    expect(answer).toMatchObject({ errorCode: 35, apiKeys: [{ apiKey: 18, minVersion: 0, maxVersion: 5 }] })
    expect((await line.ask(apiVersions, 5, good)).errorCode).toBe(0)
  },
)

describe('the software', () => {
  test.each(['', ' ', '-x', 'x-', '.', 'ü', 'a b'])('%j is no name and no version', async (bad) => {
    await using line = await Line.open()
    for (const body of [
      { ...good, clientSoftwareName: bad },
      { ...good, clientSoftwareVersion: bad },
    ]) {
      const answer = await line.ask(apiVersions, 3, body)
      expect([errorOf(answer), answer.apiKeys]).toEqual(['INVALID_REQUEST', []])
      expect(errorOf(await line.ask(apiVersions, 2, body))).toBe('NONE')
    }
  })
})

describe('the address (KIP-1242)', () => {
  test('cluster and node are named together or not at all; others mean another broker', async () => {
    await using line = await Line.open()
    const { clusterId } = await line.ask(metadata, 9, { topics: [] })
    const { nodeId } = line.broker
    const ask = async (version: number, more: { clusterId?: string | null; nodeId?: number }) =>
      errorOf(await line.ask(apiVersions, version, { ...good, ...more }))
    expect(await ask(5, { clusterId, nodeId })).toBe('NONE')
    expect(await ask(5, { clusterId, nodeId: nodeId + 1 })).toBe('REBOOTSTRAP_REQUIRED')
    expect(await ask(5, { clusterId: 'another', nodeId })).toBe('REBOOTSTRAP_REQUIRED')
    expect(await ask(5, { clusterId })).toBe('INVALID_REQUEST')
    expect(await ask(5, { nodeId })).toBe('INVALID_REQUEST')
    expect(await ask(4, { clusterId: 'another' })).toBe('NONE')
  })
})
