// The process that packs for a broker: whoever kills it holds nothing up for good, it goes when its broker goes, and where no process
// may be started the broker packs by itself.

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Kafka, logLevel } from 'kafkajs'
import { expect, onTestFinished, test } from 'vitest'
import { built } from '../built.ts'
import { ChildBroker } from '../child-broker.ts'
import { eventually } from '../eventually.ts'
import { revisionOf } from './packs.ts'

const isLinux = process.platform === 'linux'
const segments = 6

async function started(ofNode: readonly string[] = []): Promise<ChildBroker> {
  const broker = new ChildBroker(await built('bundle/main.js'), ['--http-port', '0'], ofNode)
  onTestFinished(async () => {
    await broker.end('SIGKILL')
    rmSync(broker.root, { recursive: true, force: true })
  })
  await broker.start()
  return broker
}

/** Fills a topic that keeps revisions; answers what it was sent, by key. */
async function filled(broker: ChildBroker): Promise<Map<string, string>> {
  const kafka = new Kafka({ brokers: [broker.bootstrap], logLevel: logLevel.NOTHING })
  const admin = kafka.admin()
  await admin.connect()
  const configs = { 'revision.diff': 'true', 'revision.pack.lag.ms': '0', 'segment.bytes': '1048576' }
  const configEntries = Object.entries(configs).map(([name, value]) => ({ name, value }))
  await admin.createTopics({ topics: [{ topic: 'docs', numPartitions: 1, configEntries }] })
  await admin.disconnect()
  const producer = kafka.producer()
  await producer.connect()
  const newest = new Map<string, string>()
  for (let rev = 0; rev < 11 * segments; rev++) {
    const value = revisionOf(`key ${rev % 3}`, rev, 100_000)
    newest.set(`key ${rev % 3}`, value)
    await producer.send({ topic: 'docs', messages: [{ key: `key ${rev % 3}`, value }] })
  }
  await producer.disconnect()
  return newest
}

/** The newest value of each key, as a stock consumer sees it from the start. */
async function read(broker: ChildBroker, count: number): Promise<Map<string, string>> {
  const consumer = new Kafka({ brokers: [broker.bootstrap], logLevel: logLevel.NOTHING }).consumer({
    groupId: 'reader',
  })
  await consumer.connect()
  await consumer.subscribe({ topic: 'docs', fromBeginning: true })
  const newest = new Map<string, string>()
  let seen = 0
  await new Promise<void>((resolve) => {
    const eachMessage = async ({ message }: { message: { key: Buffer | null; value: Buffer | null } }) => {
      newest.set(String(message.key), String(message.value))
      if (++seen === count) resolve()
    }
    void consumer.run({ eachMessage })
  })
  await consumer.disconnect()
  return newest
}

const namesIn = (broker: ChildBroker) => readdirSync(broker.data, { recursive: true, encoding: 'utf8' })

/** Only the segment that is written to is left as it came. */
const isPacked = (broker: ChildBroker) => {
  const ofTopic = namesIn(broker).filter((name) => name.includes('topics'))
  return ofTopic.some((name) => name.endsWith('.pack')) && ofTopic.filter((name) => name.endsWith('.log')).length === 1
}

function packersOf(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').split(' ').filter(Boolean).map(Number)
  return children.filter((child) => readFileSync(`/proc/${child}/cmdline`, 'latin1').includes('packing-child'))
}

const packerOf = (pid: number): Promise<number> =>
  eventually(() => {
    const [packer] = packersOf(pid)
    expect(packer).toBeDefined()
    return packer!
  })

const isThere = (pid: number): boolean => {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]![0] !== 'Z'
  } catch {
    return false
  }
}

test.runIf(isLinux)(
  'a packer that is killed is started again, and is gone with its broker',
  {
    timeout: 120_000,
  },
  async () => {
    const broker = await started()
    const newest = await filled(broker)
    let packer = 0
    await eventually(() => {
      packer = packersOf(broker.pid!)[0]!
      expect(packer).toBeGreaterThan(0)
    })
    process.kill(packer, 'SIGKILL')
    await eventually(() => expect(isPacked(broker), namesIn(broker).join(' ')).toBe(true))
    expect(await read(broker, 11 * segments)).toEqual(newest)
    await eventually(() => expect(packersOf(broker.pid!)).not.toEqual([packer]))
    const [second] = packersOf(broker.pid!)
    await broker.end('SIGKILL')
    if (second !== undefined) await eventually(() => expect(isThere(second)).toBe(false))
  },
)

test.runIf(isLinux)(
  'a packer that outlives its broker for a moment does not know the file that the next one writes',
  {
    timeout: 120_000,
  },
  async () => {
    const broker = await started()
    const unfinished = () => namesIn(broker).filter((name) => name.endsWith('.tmp') && name.includes('.pack.'))
    /** One that was not there before. */
    const written = (before = '') =>
      eventually(() => {
        const [name] = unfinished().filter((name) => name !== before)
        expect(name).toBeDefined()
        return name!
      })
    const filling = filled(broker)
    const first = await written()
    const orphan = await packerOf(broker.pid!)
    process.kill(orphan, 'SIGSTOP')
    const newest = await filling
    await broker.end('SIGKILL')
    await broker.start()
    await written(first)
    process.kill(orphan, 'SIGCONT')
    await eventually(() => expect(isThere(orphan)).toBe(false))
    await eventually(() => expect(isPacked(broker), namesIn(broker).join(' ')).toBe(true))
    expect(await read(broker, 11 * segments)).toEqual(newest)
    expect(unfinished()).toEqual([])
  },
)

/** How long the oldest segment has waited beyond its time, in seconds, as the broker reports it. */
async function lagOf(broker: ChildBroker): Promise<number> {
  const metrics = await (await fetch(`${broker.http}/metrics`)).text()
  return Number(/^twiglog_revision_pack_lag_seconds (.*)$/m.exec(metrics)![1])
}

test.runIf(isLinux)(
  'R27: a packer that does not keep up holds no producer up, and its lag is reported until it has caught up',
  {
    timeout: 120_000,
  },
  async () => {
    const broker = await started()
    const filling = filled(broker)
    const packer = await packerOf(broker.pid!)
    process.kill(packer, 'SIGSTOP')
    const newest = await filling
    await eventually(async () => expect(await lagOf(broker)).toBeGreaterThan(0))
    process.kill(packer, 'SIGCONT')
    await eventually(() => expect(isPacked(broker), namesIn(broker).join(' ')).toBe(true))
    await eventually(async () => expect(await lagOf(broker)).toBe(0))
    expect(await read(broker, 11 * segments)).toEqual(newest)
  },
)

const withoutProcesses = `
const processes = require('node:child_process')
processes.fork = () => { throw new Error('spawn EPERM') }
require('node:module').syncBuiltinESMExports()
`

test('a broker that may start no process packs by itself', { timeout: 120_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'twiglog-refused-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(join(folder, 'refused.cjs'), withoutProcesses)
  const broker = await started(['--require', join(folder, 'refused.cjs')])
  const newest = await filled(broker)
  await eventually(() => expect(isPacked(broker), namesIn(broker).join(' ')).toBe(true))
  expect(broker.complaints).toContain('cannot be had: spawn EPERM')
  expect(await read(broker, 11 * segments)).toEqual(newest)
})
