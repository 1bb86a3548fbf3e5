// One broker for a whole run of tests, and the door by which test files in processes of their own ask it for branch sets: JSON over
// HTTP on the loopback address, at a path that nobody can guess.

import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Broker, type BrokerOptions } from './embedded.ts'
import { BranchError, type Fork } from './fork-handle.ts'

export type FixtureOptions = BrokerOptions & {
  /** Fills the topics before the first test; every test file begins with what is there when it resolves. */
  seed?: (broker: Broker) => Promise<unknown>
}

/** What a test file asks, and what it is answered. */
export type FixtureCall =
  | { readonly op: 'fork'; readonly options: Parameters<Broker['fork']>[0] }
  | { readonly op: 'diff' | 'merge'; readonly set: string; readonly options: object }
  | { readonly op: 'drop'; readonly set: string }
export type FixtureAnswer = { readonly result?: unknown; readonly error?: { code?: string; message: string } }
/** A set as it can be told in JSON. */
export type ForkTold = Pick<Fork, 'set' | 'topics' | 'bootstrapServers'>

export type RunningFixture = {
  /** Where test files ask. */
  readonly address: string
  stop(): Promise<void>
}

export async function startFixture({ seed, ...options }: FixtureOptions): Promise<RunningFixture> {
  const broker = await Broker.start(options)
  let server: Server | undefined
  try {
    await seed?.(broker)
    const path = `/${randomUUID()}`
    const forks = new Map<string, Fork>()
    server = createServer((request, response) => {
      void answer(request, path, (call) => run(call, broker, forks)).then((told) => {
        response.writeHead(told === undefined ? 404 : 200, { connection: 'close' })
        response.end(JSON.stringify(told ?? {}))
      })
    })
    const { port } = await listening(server)
    const stop = async () => {
      server?.close()
      await broker.stop()
    }
    return { address: `http://127.0.0.1:${port}${path}`, stop }
  } catch (cause) {
    server?.close()
    await broker.stop()
    throw cause
  }
}

function listening(server: Server): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => resolve(server.address() as AddressInfo))
  })
}

async function answer(
  request: IncomingMessage,
  path: string,
  run: (call: FixtureCall) => Promise<unknown>,
): Promise<FixtureAnswer | undefined> {
  if (request.method !== 'POST' || request.url !== path) return undefined
  try {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    return { result: await run(JSON.parse(Buffer.concat(parts).toString()) as FixtureCall) }
  } catch (cause) {
    const { message } = cause as Error
    return { error: cause instanceof BranchError ? { code: cause.code, message } : { message } }
  }
}

async function run(call: FixtureCall, broker: Broker, forks: Map<string, Fork>): Promise<unknown> {
  if (call.op === 'fork') {
    const fork = await broker.fork(call.options)
    forks.set(fork.set, fork)
    const { set, topics, bootstrapServers } = fork
    return { set, topics, bootstrapServers } satisfies ForkTold
  }
  const fork = forks.get(call.set)
  if (fork === undefined) throw new Error(`There is no set ${call.set} of this run.`)
  if (call.op === 'diff') return fork.diff(call.options)
  if (call.op === 'merge') return fork.merge(call.options)
  await fork.drop()
  forks.delete(call.set)
  return undefined
}
