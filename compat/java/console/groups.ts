// kafka-consumer-groups, and console consumers as members. They use the cooperative assignor, KafkaJS and kcat eager ones.

import type { Parts } from '../../play.ts'
import { until } from '../../process.ts'
import { fresh, text } from '../../records.ts'
import type { Beside } from '../beside.ts'
import type { Console } from './tools.ts'

const partitionCount = 4
const cooperative = 'partition.assignment.strategy=org.apache.kafka.clients.consumer.CooperativeStickyAssignor'

export function groupParts(kafka: Console, beside: Beside) {
  function memberArgs(groupId: string, topic: string, ...more: string[]): string[] {
    const settings = [cooperative, 'heartbeat.interval.ms=200'].flatMap((each) => ['--command-property', each])
    return ['--topic', topic, '--group', groupId, '--from-beginning', ...settings, ...more]
  }

  /** A hundred records with keys of their own, so that every partition gets some. */
  async function spread(topic: string, label: string): Promise<string[]> {
    const values = text(100, label).map(({ key }) => String(key))
    const input = values.map((value) => `${value}\t${value}\n`).join('')
    await kafka.run('producer', ['--topic', topic, '--reader-property', 'parse.key=true'], input)
    return values
  }

  function seen(...members: { stdout: Buffer }[]): Set<string> {
    return new Set(members.flatMap(({ stdout }) => stdout.toString().split('\n').slice(0, -1)))
  }

  /** The partitions of each member, by its id. */
  async function shares(groupId: string, topic: string): Promise<number[][]> {
    const { stdout } = await kafka.attempt('groups', ['--describe', '--group', groupId, '--members', '--verbose'])
    return [...stdout.toString().matchAll(new RegExp(`^${groupId} .*$`, 'gm'))].map(([line]) => {
      const list = new RegExp(`${topic}:([\\d,]+)`).exec(line)?.[1] // a member without partitions has none
      return list ? list.split(',').map(Number) : []
    })
  }

  async function state(groupId: string): Promise<string> {
    const { stdout } = await kafka.attempt('groups', ['--describe', '--group', groupId, '--state'])
    return stdout.toString()
  }

  /** Current offset, log end offset and lag of the first partition. */
  async function progress(groupId: string, topic: string): Promise<string[] | undefined> {
    const { stdout } = await kafka.attempt('groups', ['--describe', '--group', groupId, '--offsets'])
    return new RegExp(`^${groupId}\\s+${topic}\\s+0\\s+(\\d+)\\s+(\\d+)\\s+(\\d+)`, 'm')
      .exec(stdout.toString())
      ?.slice(1)
  }

  return {
    'group.rebalance': async (t) => {
      const topic = fresh('java-rebalance')
      const groupId = `${topic}-group`
      await kafka.run('topics', ['--create', '--topic', topic, '--partitions', String(partitionCount)])
      const early = await spread(topic, 'early')

      const first = kafka.start('consumer', memberArgs(groupId, topic))
      await until('the first member saw the early records', () => seen(first).size === early.length)
      t.same(await shares(groupId, topic), [[0, 1, 2, 3]], 'the first member has all partitions')

      const second = kafka.start('consumer', memberArgs(groupId, topic))
      let parts: number[][] = []
      await until('both have a part', async () => {
        parts = await shares(groupId, topic)
        return parts.length === 2 && parts.every(({ length }) => length === 2)
      })
      t.same(parts.flat().sort(), [0, 1, 2, 3], 'the parts do not overlap')
      const shared = await spread(topic, 'shared')
      await until('both together saw the shared records', () => seen(first, second).size === 200)
      t.ok(seen(second).size > 0, 'the second one did its part')

      await first.stop()
      await until(
        'the second member has all partitions',
        async () => (await shares(groupId, topic))[0]?.length === partitionCount,
      )
      const late = await spread(topic, 'late')
      await until('the second member saw the late records', () => late.every((value) => seen(second).has(value)))
      await second.stop()
      t.same([...seen(first, second)].sort(), [...early, ...shared, ...late].sort(), 'no record is lost')
    },

    'group.resume': async (t) => {
      const topic = fresh('java-resume')
      const groupId = `${topic}-group`
      const sent = text(20, 'resume')
      const values = sent.map(({ value }) => `${value}\n`)
      await beside.send(topic, sent)
      const first = await kafka.run(
        'consumer',
        memberArgs(groupId, topic, '--max-messages', '8', '--timeout-ms', '20000'),
      )
      t.equal(first, values.slice(0, 8).join(''))
      t.same(await progress(groupId, topic), ['8', '20', '12'], 'the tool commits what it has printed')
      const second = await kafka.run(
        'consumer',
        memberArgs(groupId, topic, '--max-messages', '12', '--timeout-ms', '20000'),
      )
      t.equal(second, values.slice(8).join(''))
    },

    'group.admin': async (t) => {
      const topic = fresh('java-group-admin')
      const groupId = `${topic}-group`
      const sent = text(10, 'admin')
      const firstAt = Date.now() - 60_000
      await beside.send(topic, sent, { timestamps: sent.map((_, i) => firstAt + i * 1_000) })
      const member = kafka.start('consumer', memberArgs(groupId, topic))
      await until('the member saw everything', () => seen(member).size === 10)

      t.ok((await kafka.run('groups', ['--list'])).split('\n').includes(groupId), 'the group is listed')
      t.match(await state(groupId), /cooperative-sticky\s+Stable\s+1\s/)
      const busy = await kafka.attempt('groups', ['--delete', '--group', groupId])
      t.match(busy.stdout.toString() + busy.stderr, /GroupNotEmptyException/, 'a group with members is not deleted')
      await member.stop()

      await until('the group is empty', async () => /\sEmpty\s+0\s/.test(await state(groupId)))
      t.same(await progress(groupId, topic), ['10', '10', '0'])
      const reset = (...to: string[]) =>
        kafka.run('groups', ['--reset-offsets', '--execute', '--group', groupId, '--topic', topic, ...to])
      await reset('--to-offset', '4')
      t.same(await progress(groupId, topic), ['4', '10', '6'])
      await reset('--to-datetime', new Date(firstAt + 6_500).toISOString().replace('Z', ''))
      t.same(await progress(groupId, topic), ['7', '10', '3'], 'by time: the first record not older')
      const again = await kafka.run(
        'consumer',
        memberArgs(groupId, topic, '--max-messages', '3', '--timeout-ms', '20000'),
      )
      t.equal(
        again,
        sent
          .slice(7)
          .map(({ value }) => `${value}\n`)
          .join(''),
      )

      const deleted = await kafka.run('groups', ['--delete', '--group', groupId])
      t.match(deleted, /was successful/)
      t.notOk((await kafka.run('groups', ['--list'])).split('\n').includes(groupId), 'the group is gone')
      t.equal(await progress(groupId, topic), undefined, 'and so are its offsets')
    },
  } satisfies Parts
}
