// With an authorizer: who comes by HTTP is asked for the same rights as a Kafka client, at the address that they come from.

import { request } from 'node:http'
import { expect, test } from 'vitest'
import { createTopics } from '../../protocol/messages/19-create-topics.ts'
import { createAcls } from '../../protocol/messages/30-create-acls.ts'
import { deleteAcls } from '../../protocol/messages/31-delete-acls.ts'
import { acl, atHome, authorizerConfig, ofStranger, strangerHost } from '../api/strangers.ts'
import type { Right } from '../differential/scenarios/rights-questions.ts'
import { eventually } from '../eventually.ts'
import { WireClient } from '../wire-client.ts'
import { type Ask, HttpStage } from './stage.ts'

class Guarded implements AsyncDisposable {
  readonly stage: HttpStage
  readonly #client: WireClient

  private constructor(stage: HttpStage, client: WireClient) {
    this.stage = stage
    this.#client = client
  }

  static async open(topics: string[]): Promise<Guarded> {
    const stage = await HttpStage.open({ topics, config: authorizerConfig })
    const client = await WireClient.open(stage.broker.bootstrapServers)
    await client.ask(createAcls, 3, { creations: [...atHome] })
    return new Guarded(stage, client)
  }

  async allow(...rights: Right[]): Promise<void> {
    await this.#client.ask(deleteAcls, 3, ofStranger)
    await this.#client.ask(createAcls, 3, { creations: rights.map((right) => acl(right)) })
  }

  async fork(from: string, name: string): Promise<void> {
    const configs = [{ name: 'branch.from', value: from }]
    const topics = [{ name, numPartitions: -1, replicationFactor: -1, assignments: [], configs }]
    await this.#client.ask(createTopics, 7, { topics, validateOnly: false })
  }

  /** As the stranger. */
  ask(method: string, target: string, ask: Ask = {}) {
    return this.stage.ask(method, target, { ...ask, localAddress: strangerHost })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client.close()
    await this.stage[Symbol.asyncDispose]()
  }
}

const body = JSON.stringify({ records: [{ key: 'k', value: 'v' }] })
const json = { headers: { 'content-type': 'application/json' }, body }

const rows: readonly [method: string, target: string, right: Right, ask: Ask][] = [
  ['GET', '/topics/r-a', 'topic DESCRIBE', {}],
  ['GET', '/topics/r-a/records', 'topic READ', {}],
  ['GET', '/topics/r-a/keys/k', 'topic READ', {}],
  ['GET', '/topics/r-a/keys/k/info', 'topic READ', {}],
  ['POST', '/topics/r-a/records', 'topic WRITE', json],
  ['PUT', '/topics/r-a/keys/k', 'topic WRITE', { headers: { 'content-type': 'text/plain' }, body: 'v' }],
  ['DELETE', '/topics/r-a/keys/k', 'topic WRITE', {}],
]

test.each(rows)('%s %s takes %s', async (method, target, right, ask) => {
  await using guarded = await Guarded.open(['r-a'])
  await guarded.stage.ask('PUT', '/topics/r-a/keys/k', { headers: { 'content-type': 'text/plain' }, body: 'first' })
  await guarded.allow(right === 'topic READ' ? 'topic WRITE' : 'topic CREATE')
  const refused = await guarded.ask(method, target, ask)
  expect([refused.status, refused.json.error]).toEqual([403, 'TOPIC_AUTHORIZATION_FAILED'])
  await guarded.allow(right)
  expect((await guarded.ask(method, target, ask)).status).toBe(200)
})

test('a tail takes READ, and whether there is a topic is told to those alone who may have it', async () => {
  await using guarded = await Guarded.open(['r-a'])
  await guarded.allow('topic WRITE')
  for (const target of ['/topics/r-a/tail', '/topics/r-none/tail', '/topics/other', '/topics/r-a/records?branch=x'])
    expect((await guarded.ask('GET', target)).status).toBe(403)
  await guarded.allow('topic READ')
  expect((await guarded.ask('GET', '/topics/r-none/tail')).status).toBe(404)
})

test('a tail ends with the right to read it', async () => {
  await using guarded = await Guarded.open(['r-a'])
  await guarded.allow('topic READ')
  const { port } = new URL(guarded.stage.url)
  const pieces: string[] = []
  const sent = request({ port, path: '/topics/r-a/tail', localAddress: strangerHost }).end()
  const ended = new Promise((resolve) =>
    sent.on('response', (response) => response.on('data', (piece) => pieces.push(String(piece))).on('end', resolve)),
  )
  await eventually(() => expect(pieces.join('')).toContain('retry:'))
  await guarded.stage.post('/topics/r-a/records', [{ value: 'first' }])
  await eventually(() => expect(pieces.join('')).toContain('first'))
  await guarded.allow()
  await guarded.stage.post('/topics/r-a/records', [{ value: 'second' }])
  await ended
  expect(pieces.join('')).toMatch(/event: end\ndata: .*TOPIC_AUTHORIZATION_FAILED/)
  expect(pieces.join('')).not.toContain('second')
})

test('topics are listed that may be described, and their configurations are shown to whom they may be', async () => {
  await using guarded = await Guarded.open(['r-a', 'other'])
  const listed = async () => (await guarded.ask('GET', '/topics')).json.topics.map(({ name }: { name: string }) => name)
  await guarded.allow()
  expect(await listed()).toEqual([])
  await guarded.allow('topic DESCRIBE')
  expect(await listed()).toEqual(['r-a'])
  expect((await guarded.ask('GET', '/topics/r-a')).json.configs).toBeUndefined()
  await guarded.allow('topic DESCRIBE', 'topic DESCRIBE_CONFIGS')
  expect((await guarded.ask('GET', '/topics/r-a')).json.configs).toEqual({})
})

test('records make a topic for those who may make one', async () => {
  await using guarded = await Guarded.open([])
  await guarded.allow('topic WRITE')
  expect((await guarded.ask('POST', '/topics/r-new/records', json)).status).toBe(403)
  await guarded.allow('topic WRITE', 'topic CREATE')
  expect((await guarded.ask('POST', '/topics/r-new/records', json)).status).toBe(200)
  await guarded.allow('topic WRITE', 'cluster CREATE')
  expect((await guarded.ask('POST', '/topics/r-newer/records', json)).status).toBe(200)
})

test('branches are listed that may be described', async () => {
  await using guarded = await Guarded.open(['r-a'])
  await guarded.fork('r-a', 'r-a--x')
  await guarded.fork('r-a', 'y--x')
  const listed = async () =>
    (await guarded.ask('GET', '/branches')).json.branches.map(({ name }: { name: string }) => name)
  await guarded.allow()
  expect(await listed()).toEqual([])
  await guarded.allow('topic DESCRIBE')
  expect(await listed()).toEqual(['r-a--x'])
})
