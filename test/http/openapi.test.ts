// The document and what is served are one thing: each route is asked, and each answer is held against its schema.

import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { allFamilies } from '../../src/http/metrics.ts'
import { routes } from '../../src/http/routes.ts'
import { answerViolations, violations } from './openapi-check.ts'
import { type Ask, HttpStage } from './stage.ts'

let stage: HttpStage
beforeAll(async () => {
  stage = await HttpStage.open({ topics: [{ name: 'orders', partitions: 2 }, 'stock'] })
})
afterAll(async () => stage[Symbol.asyncDispose]())

test('every route is in the document, with its parameters, and nothing else is', () => {
  const documented = Object.entries(stage.document.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, { operationId, parameters = [] }]) =>
      [method, path, operationId, ...parameters.map(({ name }) => name)].join(' '),
    ),
  )
  const served = routes.map(({ method, path, id, parameters = [] }) =>
    [method, path, id, ...parameters.map(({ name }) => name)].join(' '),
  )
  expect(documented.sort()).toEqual(served.sort())
  expect(new Set(routes.map(({ id }) => id)).size).toBe(routes.length)
})

// A linter counted fifteen errors: no servers, and of no route was it said who may ask.
test('the document says where it is served, that nobody is asked who he is, and its licence', () => {
  const { servers, security, info } = stage.document
  expect({ servers, security, info }).toMatchObject({
    servers: [{ url: '/' }],
    security: [],
    info: { license: { identifier: JSON.parse(readFileSync('package.json', 'utf8')).license } },
  })
})

test('each word in braces is a parameter of the path', () => {
  for (const { path, parameters = [] } of routes) {
    const words = [...path.matchAll(/\{(\w+)\}/g)].map(([, word]) => word)
    expect(parameters.filter((of) => of.in === 'path').map(({ name }) => name)).toEqual(words)
  }
})

/** Of a stream the head alone, for it has no end. */
async function headOf(url: string): Promise<{ status: number; mediaType: string; body: string }> {
  const aborting = new AbortController()
  const { status, headers } = await fetch(url, { signal: aborting.signal })
  aborting.abort()
  return { status, mediaType: headers.get('content-type') ?? '', body: '' }
}

test('every route is asked, well and for a topic that is not there, and answers as the document says', async () => {
  await using stage = await HttpStage.open({ topics: ['stock'] })
  const headers = { 'content-type': 'application/json' }
  const bodies: Record<string, Ask> = {
    writeRecords: { headers, body: '{"records":[{"key":"other","value":1}]}' },
    writeKey: { body: '{"n":1}' },
  }
  await stage.ask('PUT', '/topics/stock/keys/k', bodies['writeKey'])
  for (const { method, path, id } of routes) {
    const target = path.replace('{topic}', 'stock').replace('{key}', 'k')
    if (id === 'tailRecords') {
      const head = await headOf(`${stage.url}${target}`)
      expect(answerViolations(stage.document, { method, target }, head)).toEqual([])
      expect(head.status).toBe(200)
    } else expect([id, (await stage.ask(method.toUpperCase(), target, bodies[id])).status]).toEqual([id, 200])
    // Records make their topic, as a producer's do.
    if (target === path || id === 'writeRecords') continue
    const missed = await stage.ask(method.toUpperCase(), target.replace('stock', 'nowhere'), bodies[id])
    expect([id, missed.status]).toEqual([id, 404])
  }
})

test('the check finds what is wrong', () => {
  const schema = {
    type: 'object',
    properties: { a: { type: 'integer' } },
    required: ['a'],
    additionalProperties: false,
  }
  expect(violations({ a: 1 }, schema, stage.document)).toEqual([])
  expect(violations({ a: 'x' }, schema, stage.document)).toEqual(['$.a: string instead of integer'])
  expect(violations({ a: 1, b: 2 }, schema, stage.document)).toEqual(['$: b is not in the document'])
  expect(violations({}, schema, stage.document)).toEqual(['$: a is missing'])
})

test('what there is', async () => {
  const { json } = await stage.get('/')
  expect(json.name).toBe('twiglog')
  expect(json.routes).toHaveLength(routes.length)
})

test('topics, branches and sets', async () => {
  await stage.broker.fork({ from: ['orders', 'stock'], set: 'pr-1' })
  const topics = (await stage.get('/topics')).json.topics
  // As Kafka clients see it: commands are no internal topic, and members of sets are not listed.
  expect(topics.map(({ name }: { name: string }) => name)).toEqual(['__branch_commands', 'orders', 'stock'])
  const all = (await stage.get('/topics?internal=true')).json.topics
  expect(all.map(({ name }: { name: string }) => name)).toContain('__branches')
  const inside = (await stage.get('/topics?branch=pr-1')).json.topics
  expect(inside).toMatchObject([
    { name: 'orders--pr-1', from: 'orders', set: 'pr-1', inside: 'orders', partitions: 2 },
    { name: 'stock--pr-1', from: 'stock', set: 'pr-1', inside: 'stock' },
  ])
  expect((await stage.get('/topics?branch=none')).status).toBe(404)
  const { branches, sets } = (await stage.get('/branches')).json
  expect(branches[0]).toMatchObject({
    name: 'orders--pr-1',
    from: 'orders',
    offsets: [0, 0],
    depth: 1,
    isOrphan: false,
  })
  expect(sets).toMatchObject([{ name: 'pr-1', members: [{ inside: 'orders', topic: 'orders--pr-1' }, {}] }])
})

test('a topic', async () => {
  await stage.post('/topics/orders/records', [{ partition: 1, value: 1 }])
  const { json } = await stage.get('/topics/orders')
  expect(json.partitions).toEqual([
    { partition: 0, leader: 1, earliest: 0, latest: 0 },
    { partition: 1, leader: 1, earliest: 0, latest: 1 },
  ])
  expect((await stage.get('/topics/orders?branch=pr-1')).json.name).toBe('orders--pr-1')
  expect((await stage.get('/topics/none')).status).toBe(404)
})

test('problems say what to change', async () => {
  const { json, headers } = await stage.get('/topics/none/records')
  expect(headers['content-type']).toBe('application/problem+json')
  expect(json).toEqual({
    title: 'Not found',
    status: 404,
    detail: "There is no topic 'none'. GET /topics lists those that there are.",
    error: 'UNKNOWN_TOPIC_OR_PARTITION',
  })
  expect((await stage.get('/nowhere')).json.detail).toMatch(/nothing at \/nowhere/)
})

test('metrics tell of what is known, in the form of Prometheus', async () => {
  const { text, headers } = await stage.get('/metrics')
  expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8')
  const known = new Set(allFamilies.map(({ name }) => name))
  expect(known.size).toBe(allFamilies.length)
  for (const line of text.trimEnd().split('\n')) {
    const [, name] = /^(?:# (?:HELP|TYPE) )?([a-z_]+)/.exec(line)!
    // The samples of a histogram have names of their own.
    expect(known, line).toContain(known.has(name!) ? name : name!.replace(/_(bucket|sum|count)$/, ''))
    expect(line).toMatch(/^# (HELP|TYPE) |^[a-z_]+(\{([a-z_]+="[^"]*",?)+\})? -?[0-9.e+-]+$/)
  }
})
