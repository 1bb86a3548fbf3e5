// The command as a user runs it: a process, its exit codes, its files, its signals. Needs dist, which `npm ci` builds.

import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Kafka, logLevel } from 'kafkajs'
import { afterEach, beforeEach, expect, test } from 'vitest'

const command = new URL('../dist/bundle/main.js', import.meta.url).pathname
let folder: string
const children: ChildProcess[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'twiglog-main-'))
})
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

type Ended = { code: number | null; stdout: string; stderr: string }

function run(...args: string[]): { child: ChildProcess; ended: Promise<Ended>; output: () => string } {
  const { KAFKA_LISTENERS: _, ...env } = process.env
  const child = spawn(process.execPath, [command, ...args], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] })
  children.push(child)
  let stdout = ''
  let stderr = ''
  child.stdout!.on('data', (chunk) => {
    stdout += chunk
  })
  child.stderr!.on('data', (chunk) => {
    stderr += chunk
  })
  const ended = new Promise<Ended>((resolve) => child.on('close', (code) => resolve({ code, stdout, stderr })))
  return { child, ended, output: () => stdout }
}

async function until<T>(look: () => T | undefined): Promise<T> {
  for (let i = 0; i < 1000; i++) {
    const found = look()
    if (found !== undefined) return found
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error('it did not come')
}

const ready = (path = join(folder, 'ready')) =>
  until(() =>
    existsSync(path)
      ? (JSON.parse(readFileSync(path, 'utf8')) as { bootstrap: string; pid: number; http?: string })
      : undefined,
  )

async function endOffset(bootstrap: string): Promise<string | undefined> {
  const admin = new Kafka({ brokers: [bootstrap], logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  const [partition] = await admin.fetchTopicOffsets('t')
  await admin.disconnect()
  return partition?.high
}

async function produce(bootstrap: string): Promise<void> {
  const producer = new Kafka({ brokers: [bootstrap], logLevel: logLevel.NOTHING }).producer()
  await producer.connect()
  await producer.send({ topic: 't', messages: [{ value: 'x' }] })
  await producer.disconnect()
}

test('the ready file names the address and the process, and harnesses find their lines', async () => {
  const { child, output, ended } = run('start', '--port', '0', '--memory', '--ready-file', 'ready', '--no-http')
  const { bootstrap, pid, http } = await ready()
  expect(pid).toBe(child.pid)
  expect(http).toBeUndefined()
  expect(await until(() => (/Successfully started Redpanda!/.test(output()) ? output() : undefined))).toMatch(
    /\[KafkaServer id=1\] started/,
  )
  expect(output()).toContain(bootstrap)
  await produce(bootstrap)
  child.kill('SIGTERM')
  expect((await ended).code).toBe(0)
  expect(existsSync(join(folder, '.twiglog'))).toBe(false)
})

test('data is there again after SIGTERM and after SIGKILL, in ./.twiglog where nobody says otherwise', async () => {
  for (const [signal, expected] of [
    ['SIGTERM', '1'],
    ['SIGKILL', '2'],
    ['SIGTERM', '3'],
  ] as const) {
    rmSync(join(folder, 'ready'), { force: true })
    const { child, ended } = run('--port', '0', '--ready-file', 'ready')
    const { bootstrap } = await ready()
    await produce(bootstrap)
    expect(await endOffset(bootstrap)).toBe(expected)
    child.kill(signal)
    await ended
  }
  expect(existsSync(join(folder, '.twiglog'))).toBe(true)
})

test('the ready file, the card and one line of JSON say where HTTP is; a stop by signal ends it', async () => {
  rmSync(join(folder, 'ready'), { force: true })
  const words = ['--port', '0', '--http-port', '0', '--memory', '--ready-file', 'ready']
  const { child, output, ended } = run(...words)
  const { http } = await ready()
  expect((await fetch(`${http}/healthz`)).status).toBe(200)
  expect(await until(() => (/Storage/.test(output()) ? output() : undefined))).toContain(`HTTP      ${http}`)
  child.kill('SIGTERM')
  expect((await ended).code).toBe(0)
  const other = run(...words, '--json')
  const line = await until(() => /^\{.*\}$/m.exec(other.output())?.[0])
  expect(JSON.parse(line).http).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
  other.child.kill('SIGTERM')
  await other.ended
})

test('an HTTP port that was asked for and is taken is an error; the one that nobody asked for is done without', async () => {
  const holder = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => holder.once('listening', resolve))
  const { port } = holder.address() as { port: number }
  const { code, stderr } = await run('--port', '0', '--http-port', String(port), '--memory').ended
  expect(code).toBe(5)
  expect(stderr).toContain(`127.0.0.1:${port} is in use`)
  expect(stderr).toContain('--http-port N')
  holder.close()
  // If it is not ours somebody else has it, and may give it back before the broker comes to it: then once more.
  for (let attempt = 0; ; attempt++) {
    const eight = await held(8080)
    const { child, output, ended } = run('--port', '0', '--memory')
    const said = await until(() => (/Storage/.test(output()) ? output() : undefined))
    child.kill('SIGTERM')
    await ended
    eight?.close()
    if (eight === undefined && attempt < 20 && !said.includes('HTTP      none')) continue
    expect(said).toMatch(/HTTP {6}none: 127\.0\.0\.1:8080 is in use by another program/)
    return
  }
})

/** Undefined where somebody else has it. */
function held(port: number): Promise<Server | undefined> {
  const server = createServer().listen(port, '127.0.0.1')
  return new Promise((resolve) => {
    server.once('listening', () => resolve(server)).once('error', () => resolve(undefined))
  })
}

test('a busy port is an honest error that says what to do', async () => {
  const holder = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => holder.once('listening', resolve))
  const { port } = holder.address() as { port: number }
  const { code, stderr } = await run('--port', String(port), '--memory').ended
  holder.close()
  expect(code).toBe(5)
  expect(stderr).toContain(`127.0.0.1:${port} is in use`)
  expect(stderr).toContain('--port')
})

test('a data folder belongs to one broker at a time, and to the next one after a kill', async () => {
  const first = run('--port', '0', '--data', 'data', '--ready-file', 'ready')
  const { pid } = await ready()
  const second = await run('--port', '0', '--data', 'data').ended
  expect(second.code).toBe(1)
  expect(second.stderr).toContain(`in use by process ${pid}`)
  first.child.kill('SIGKILL')
  await first.ended
  const third = run('--port', '0', '--data', 'data', '--ready-file', 'third')
  await ready(join(folder, 'third'))
  third.child.kill('SIGTERM')
  expect((await third.ended).code).toBe(0)
})

// It was a stack trace, behind a broker that had started and was not stopped; of a request log the first client felt it.
test('a file that cannot be written is said before anything is started', async () => {
  for (const flag of ['--ready-file', '--request-log']) {
    const { code, stdout, stderr } = await run('--port', '0', '--data', 'data', flag, 'nowhere/file').ended
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(new RegExp(`^twiglog: ${flag} cannot be written: ENOENT[^\\n]*nowhere[^\\n]*\\n$`))
    expect(existsSync(join(folder, 'data'))).toBe(false)
  }
})

test('the ready file of an earlier broker is gone before the next one is ready, and where it never is', async () => {
  writeFileSync(join(folder, 'ready'), '{"bootstrap":"127.0.0.1:1","pid":1}')
  const holder = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => holder.once('listening', resolve))
  const { port } = holder.address() as { port: number }
  expect((await run('--port', String(port), '--memory', '--ready-file', 'ready').ended).code).toBe(5)
  holder.close()
  expect(readdirSync(folder)).toEqual([])
})

test.skipIf(process.platform === 'win32')('a terminal that is closed ends the broker as SIGTERM does', async () => {
  const { child, ended } = run('--port', '0', '--data', 'data', '--no-http', '--ready-file', 'ready')
  await produce((await ready()).bootstrap)
  child.kill('SIGHUP')
  expect((await ended).code).toBe(0)
  expect(existsSync(join(folder, 'data', 'lock'))).toBe(false)
})

// The command waited by a timer that keeps nothing alive, and when the last socket was closed the process ended in the middle of its stop.
test('a stop waits for a command that waits for a transaction', async () => {
  const { child, ended } = run('--port', '0', '--data', 'data', '--no-http', '--ready-file', 'ready')
  const { bootstrap } = await ready()
  await produce(bootstrap)
  const kafka = new Kafka({ brokers: [bootstrap], logLevel: logLevel.NOTHING })
  const plain = kafka.producer()
  await plain.connect()
  const command = (value: object) =>
    plain.send({ topic: '__branch_commands', messages: [{ value: JSON.stringify(value) }] })
  await command({ op: 'fork', id: 'f', topics: [{ from: 't', to: 't--b' }] })
  const producer = kafka.producer({ transactionalId: 'x', maxInFlightRequests: 1, idempotent: true })
  await producer.connect()
  const transaction = await producer.transaction()
  await transaction.send({ topic: 't', messages: [{ value: 'open' }] })
  await command({ op: 'promote', id: 'p', branch: 't--b' })
  await endOffset(bootstrap)
  child.kill('SIGTERM')
  expect((await ended).code).toBe(0)
  expect(existsSync(join(folder, 'data', 'lock'))).toBe(false)
  await Promise.allSettled([plain.disconnect(), producer.disconnect()])
})

test('an address that is not of this machine, and no folder at all, are errors in words', async () => {
  const elsewhere = await run('--host', '192.0.2.1', '--port', '0', '--memory').ended
  expect(elsewhere.code).toBe(5)
  expect(elsewhere.stderr).toMatch(/^twiglog: 192\.0\.2\.1 is no address of this machine[^\n]*\n$/)
  for (const words of [
    ['--data', ''],
    ['--set', 'log.dir='],
  ]) {
    const nowhere = await run('--port', '0', ...words).ended
    expect([nowhere.code, nowhere.stdout]).toEqual([2, ''])
    expect(nowhere.stderr).toMatch(/^twiglog: [^\n]*(must not be empty|names no folder)[^\n]*\n$/)
  }
  expect(readdirSync(folder)).toEqual([])
})

test('--json is one line with real ports, and words that make no sense end with 2', async () => {
  const { child, output } = run('--port', '0', '--memory', '--json')
  const line = await until(() => (output().includes('\n') ? output() : undefined))
  expect(JSON.parse(line)).toMatchObject({
    bootstrap: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
    pid: child.pid,
    data: null,
  })
  expect((await run('--prot', '1').ended).code).toBe(2)
  expect((await run('--set', 'num.partitions=many', '--memory').ended).stderr).toContain('num.partitions')
})

test('an unknown option warns with the nearest name and does not stop the start', async () => {
  const { child, ended } = run('--port', '0', '--memory', '--set', 'num.partition=3', '--ready-file', 'ready')
  await ready()
  child.kill('SIGTERM')
  const { code, stderr } = await ended
  expect(code).toBe(0)
  expect(stderr).toContain('num.partitions')
})

test('--cpu-profile is written at SIGUSR2 and at the stop', async () => {
  const words = ['--port', '0', '--memory', '--no-http', '--ready-file', 'ready', '--cpu-profile', 'prof.cpuprofile']
  const { child, ended } = run(...words)
  const { bootstrap } = await ready()
  await produce(bootstrap)
  child.kill('SIGUSR2')
  const first = await until(() => readWhole(join(folder, 'prof.cpuprofile')))
  await produce(bootstrap)
  child.kill('SIGTERM')
  const { code, stderr } = await ended
  expect(code).toBe(0)
  expect(stderr).toContain('prof.2.cpuprofile')
  for (const { nodes, samples, timeDeltas } of [first, readWhole(join(folder, 'prof.2.cpuprofile'))!]) {
    expect(nodes.length).toBeGreaterThan(1)
    expect(samples.length).toBeGreaterThan(0)
    // What DevTools and speedscope go by: a function for each look, and the time since the look before.
    expect(timeDeltas).toHaveLength(samples.length)
    const functions = new Map(nodes.map(({ id, callFrame }) => [id, callFrame.functionName]))
    expect(samples.filter((id) => functions.get(id) === undefined)).toEqual([])
  }
})

type Profile = {
  nodes: { id: number; callFrame: { functionName: string } }[]
  samples: number[]
  timeDeltas: number[]
}

/** Undefined while it is being written. */
function readWhole(path: string): Profile | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return undefined
  }
}

test('slow.request.log.ms tells on standard error what was slow, and where its time went', async () => {
  const { child, ended } = run(
    ...['--port', '0', '--memory', '--no-http', '--ready-file', 'ready', '--set', 'slow.request.log.ms=0'],
  )
  const { bootstrap } = await ready()
  await produce(bootstrap)
  child.kill('SIGTERM')
  const { stderr } = await ended
  expect(stderr).toMatch(
    /^Slow request: ApiVersions v\d of client "kafkajs" at 127\.0\.0\.1; \d+ bytes, answered with \d+; [\d.]+ ms: [\d.]+ queued, [\d.]+ handled, [\d.]+ waited, [\d.]+ sending$/m,
  )
})

/** Fields of proc_pid_stat(5) that say how urgent a thread is. */
function urgencyOf(pid: number, thread: string): { nice: number; policy: number } {
  const text = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'latin1')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return { nice: Number(fields[16]), policy: Number(fields[38]) }
}

test.skipIf(process.platform !== 'linux')('the threads of V8 give way to the one that serves', async () => {
  const { child, ended } = run('start', '--port', '0', '--memory', '--ready-file', 'ready', '--no-http')
  const { pid } = await ready()
  const schedBatch = 3
  const yielding = () =>
    readdirSync(`/proc/${pid}/task`).filter((thread) => {
      const { nice, policy } = urgencyOf(pid, thread)
      return policy === schedBatch && nice === 10
    })
  const threads = await until(() => (yielding().length === 4 ? yielding() : undefined))
  expect(threads).not.toContain(String(pid))
  child.kill('SIGTERM')
  expect((await ended).code).toBe(0)
})
