// The HTTP port itself: where it is, who may knock, what becomes of it when the broker stops.

import { Agent, request } from 'node:http'
import { connect, createServer, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isOwnHost } from '../../src/http/hosts.ts'
import { Broker } from '../../src/index.ts'
import { HttpStage, raw } from './stage.ts'

let stage: HttpStage
beforeAll(async () => {
  stage = await HttpStage.open({ topics: ['t'] })
})
afterAll(async () => stage[Symbol.asyncDispose]())

/** What comes back for bytes as they are, until the other side closes or is silent. */
function answerTo(url: string, bytes: string): Promise<string> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve) => {
    let text = ''
    const socket = connect(Number(port), hostname, () => socket.end(bytes))
    socket.on('data', (part) => {
      text += part
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(text))
  })
}

async function holdPort(): Promise<{ port: number; free: () => Promise<unknown> }> {
  const holder = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => holder.once('listening', resolve))
  const { port } = holder.address() as { port: number }
  return { port, free: () => new Promise((resolve) => holder.close(resolve)) }
}

describe('whether there is one', () => {
  test('a program that has the broker inside has none unless it asks', async () => {
    await using broker = await Broker.start()
    expect(broker.httpUrl).toBeUndefined()
  })

  test('an option of the broker asks too', async () => {
    await using broker = await Broker.start({ config: { 'http.port': 0 } })
    expect((await fetch(`${broker.httpUrl}/healthz`)).status).toBe(200)
    await using without = await Broker.start({ config: { 'http.port': -1 } })
    expect(without.httpUrl).toBeUndefined()
    await using refused = await Broker.start({ http: false, config: { 'http.port': 0 } })
    expect(refused.httpUrl).toBeUndefined()
  })

  test('a port that was asked for and is taken is an error, and nothing stays behind', async () => {
    const held = await holdPort()
    await expect(Broker.start({ http: { port: held.port } })).rejects.toThrow(/EADDRINUSE/)
    await using broker = await Broker.start({ http: { port: held.port, orNone: true } })
    expect(broker.httpUrl).toBeUndefined()
    expect(broker.httpRefused?.message).toMatch(/EADDRINUSE/)
    await held.free()
  })

  test('it listens on the loopback address alone', () => expect(stage.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/))
})

describe('under which names it may be addressed', () => {
  test.each([
    ['127.0.0.1:8080', true],
    ['127.0.0.1', true],
    ['[::1]:8080', true],
    ['192.168.0.7:8080', true],
    ['localhost:8080', true],
    ['LOCALHOST', true],
    ['app.localhost:8080', true],
    ['evil.example:8080', false],
    ['localhost.evil.example', false],
    ['127.0.0.1.evil.example', false],
    ['', false],
    ['[::1', false],
    ['a b', false],
  ])('%s: %s', (host, expected) => expect(isOwnHost(host, new Set())).toBe(expected))

  test('a name of somebody else is refused, unless it is allowed', async () => {
    const foreign = { headers: { host: 'evil.example' } }
    const { status, json } = await raw(stage.url, 'GET', '/topics', foreign)
    expect(status).toBe(421)
    expect(json.detail).toMatch(/http.allowed.hosts/)
    await using broker = await Broker.start({
      http: true,
      config: { 'http.allowed.hosts': 'broker.example, evil.example' },
    })
    expect((await raw(broker.httpUrl!, 'GET', '/topics', foreign)).status).toBe(200)
  })

  test('no page of another origin is told anything', async () => {
    const { headers } = await stage.get('/topics', { origin: 'http://evil.example' })
    expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([])
    expect(headers['x-content-type-options']).toBe('nosniff')
    expect((await raw(stage.url, 'OPTIONS', '/topics')).status).toBe(405)
  })
})

describe('garbage', () => {
  test.each([
    ['no HTTP', 'hello\r\n\r\n', /400/],
    ['nothing', '', /^$/],
    ['no host', 'GET /topics HTTP/1.1\r\n\r\n', /400/],
    [
      'a length that is none',
      'POST /topics/t/records HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n',
      /400/,
    ],
    ['headers without end', `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`, /431/],
    [
      'a path of escapes',
      'GET /topics/%zz/records HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
      /400[\s\S]*percent-encoded/,
    ],
    ['a path out of the tree', 'GET /../../etc/passwd HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n', /404/],
    ['a method that is none', 'FROB / HTTP/1.1\r\nHost: localhost\r\n\r\n', /400/],
    ['a Kafka request', '\x00\x00\x00\x10\x00\x12\x00\x00\x00\x00\x00\x01\xff\xff', /400|^$/],
  ])('%s', async (_, bytes, expected) => expect(await answerTo(stage.url, bytes)).toMatch(expected))

  test('the broker is as well as before', async () => expect((await stage.get('/healthz')).json.status).toBe('ok'))

  test('a method that a path does not know is told those that it knows', async () => {
    const { status, headers } = await stage.ask('DELETE', '/topics/t/records')
    expect(status).toBe(405)
    expect(headers['allow']).toBe('GET, POST')
  })

  test('a body that is too long is refused before it has come', async () => {
    await using broker = await Broker.start({ http: true, topics: ['t'], config: { 'socket.request.max.bytes': 1000 } })
    const headers = { 'content-type': 'application/json' }
    const body = JSON.stringify({ records: [{ value: 'x'.repeat(5000) }] })
    const post = (more: Record<string, string>) =>
      raw(broker.httpUrl!, 'POST', '/topics/t/records', { headers: { ...headers, ...more }, body })
    expect((await post({})).status).toBe(413)
    expect((await post({ 'transfer-encoding': 'chunked' })).status).toBe(413)
  })
})

test('a thousand connections that are kept are served side by side', async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1000, maxFreeSockets: 1000 })
  const { hostname, port } = new URL(stage.url)
  const ask = () =>
    new Promise<number>((resolve, reject) => {
      const sent = request({ host: hostname, port, path: '/healthz', agent }, (response) => {
        response.resume().on('end', () => resolve(response.statusCode!))
      })
      sent.on('error', reject)
      sent.end()
    })
  for (let round = 0; round < 2; round++) {
    const statuses = await Promise.all(Array.from({ length: 1000 }, ask))
    expect(new Set(statuses)).toEqual(new Set([200]))
  }
  expect(Object.values(agent.freeSockets).flat().length).toBe(1000)
  agent.destroy()
})

describe('when the broker stops', () => {
  test('who keeps a connection and asks nothing does not hold it up', async () => {
    const other = await HttpStage.open({ topics: ['t'] })
    const agent = new Agent({ keepAlive: true })
    const { hostname, port } = new URL(other.url)
    await new Promise((resolve, reject) => {
      request({ host: hostname, port, path: '/healthz', agent }, (response) => response.resume().on('end', resolve))
        .on('error', reject)
        .end()
    })
    await other[Symbol.asyncDispose]()
    agent.destroy()
  })

  test('one that nobody ever asked is closed too', async () => {
    const broker = await Broker.start({ http: true })
    const url = broker.httpUrl!
    await broker.stop()
    await expect(fetch(url)).rejects.toThrow()
  })

  test('what is being written is answered', async () => {
    const broker = await Broker.start({ http: true, topics: ['t'] })
    const { hostname, port } = new URL(broker.httpUrl!)
    const body = JSON.stringify({ records: [{ value: 'last' }] })
    const headers = { 'content-type': 'application/json', 'content-length': String(body.length) }
    const sent = request({ host: hostname, port, method: 'POST', path: '/topics/t/records', headers })
    const answered = new Promise<number>((resolve, reject) => {
      sent.on('response', (response) => response.resume().on('end', () => resolve(response.statusCode!)))
      sent.on('error', reject)
    })
    sent.write(body.slice(0, 5))
    const socket = await new Promise<Socket>((resolve) => sent.on('socket', resolve))
    await new Promise<void>((resolve) => (socket.connecting ? socket.once('connect', resolve) : resolve()))
    // Another request is answered, so the one before it on the other connection has arrived.
    await raw(broker.httpUrl!, 'GET', '/healthz')
    const stopped = broker.stop()
    sent.end(body.slice(5))
    expect(await answered).toBe(200)
    await stopped
  })
})

test('many who knock at once, before anything is loaded, are all answered', async () => {
  await using broker = await Broker.start({ http: true })
  const statuses = await Promise.all(
    Array.from({ length: 50 }, async () => (await raw(broker.httpUrl!, 'GET', '/healthz')).status),
  )
  expect(new Set(statuses)).toEqual(new Set([200]))
})

test('who goes in the midst of a body leaves nothing behind, in the topic or in the log of mistakes', async () => {
  const said: unknown[] = []
  const error = console.error
  console.error = (...words: unknown[]) => void said.push(words)
  try {
    const { hostname, port } = new URL(stage.url)
    for (const method of ['PUT /topics/t/keys/k', 'POST /topics/t/records']) {
      const socket = connect(Number(port), hostname)
      socket.write(
        `${method} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"rec`,
      )
      await new Promise((resolve) => socket.once('connect', resolve))
      await raw(stage.url, 'GET', '/healthz')
      socket.destroy()
    }
    expect((await stage.get('/topics/t/keys/k')).status).toBe(404)
    expect((await stage.get('/topics/t/records')).json.records).toEqual([])
  } finally {
    console.error = error
  }
  expect(said).toEqual([])
})

test('a partition that nobody leads takes no writes, and says so', async () => {
  await using other = await HttpStage.open({
    brokers: 3,
    topics: [{ name: 'spread', partitions: 3 }],
    config: { 'default.replication.factor': 1 },
  })
  const writes = () =>
    Promise.all([0, 1, 2].map((partition) => other.post('/topics/spread/records', [{ partition, value: 1 }])))
  expect((await writes()).map(({ status }) => status)).toEqual([200, 200, 200])
  await other.broker.stopNode(other.broker.leaderOf('spread', 1))
  const [, second] = await writes()
  expect([second!.status, second!.json.error]).toEqual([503, 'NOT_LEADER_OR_FOLLOWER'])
  expect((await other.get('/topics/spread')).json.partitions[1].leader).toBeNull()
})
