// kcat: librdkafka, the C client under most other languages' clients. It has no admin requests, so KafkaJS sets the stage
// where a scenario needs more than one partition, a timestamp of its own or a header that no command line can hold.
import { isUtf8 } from 'node:buffer'
import t from 'tap'
import { type StopSignal, startBroker } from '../broker.ts'
import { linesAcross } from '../lines-across.ts'
import { Client } from '../node/client.ts'
import { compressionOf } from '../node/codecs.ts'
import { msOfAll, type Part, type Parts, playParts } from '../play.ts'
import { missing, until } from '../process.ts'
import { type Codec, fresh, incompressible, large, record, shapes, text } from '../records.ts'
import { noBranches } from '../scenarios/branches.ts'
import { asRead, Kcat, lines, parsed } from './kcat.ts'

const noAdmin = 'kcat has no admin requests'
const partitionCount = 4

t.setTimeout(msOfAll)
const absent = missing('kcat')
if (absent) t.plan(0, absent)
else await main()

async function main(): Promise<void> {
  const broker = await startBroker('kcat')
  t.teardown(() => broker.stop())
  const kcat = new Kcat(broker.bootstrap)
  const stage = await Client.connect(broker.bootstrap)
  t.teardown(() => stage.disconnect())

  function sending(name: string, settings: readonly string[]): Part {
    return async (t) => {
      const topic = await stage.createTopic(name)
      const sent = text(200, name)
      await kcat.sendLines(topic, sent, settings)
      const read = await kcat.read(topic, 'beginning')
      t.same(lines(read), asRead(sent))
      t.same(
        read.map(({ offset }) => offset),
        [...sent.keys()],
      )
    }
  }

  function codec(name: Codec): Part {
    return sending(name, ['-z', name])
  }

  /** Three batches of ten, a second between two records, so that a place to start at lies inside a batch. */
  async function spaced(name: string) {
    const topic = await stage.createTopic(name)
    const sent = text(30, name)
    const firstAt = Date.now() - 60_000
    for (const from of [0, 10, 20]) {
      const timestamps = sent.slice(from, from + 10).map((_, i) => firstAt + (from + i) * 1_000)
      await stage.send(topic, sent.slice(from, from + 10), { timestamps, compression: compressionOf.gzip })
    }
    return { topic, sent, firstAt }
  }

  async function spread(topic: string, label: string): Promise<string[]> {
    const keys: string[] = []
    for (let partition = 0; partition < partitionCount; partition++) {
      const sent = text(10, `${label}-${partition}`)
      await stage.send(topic, sent, { partition })
      keys.push(...sent.map(({ key }) => String(key)))
    }
    return keys.sort()
  }

  function across(signal: StopSignal): Part {
    if (broker.restartSkip) return broker.restartSkip
    return async (t) => {
      const topic = await stage.createTopic(`restart-${signal}`)
      // -E: a broker that is away for a while is no reason to give up.
      const producer = kcat.start([
        '-P',
        '-E',
        '-t',
        topic,
        '-p',
        '0',
        '-X',
        'enable.idempotence=true',
        '-X',
        'linger.ms=2',
      ])
      const sentCount = await linesAcross(
        producer,
        () => stage.endOffset(topic),
        () => broker.restart(signal),
      )
      const { code, stderr } = await producer.ended
      t.equal(code, 0, `every record was acknowledged ${stderr}`)
      const values = (await kcat.read(topic, 'beginning')).map(({ value }) => Number(value))
      t.same(values, [...Array(sentCount).keys()])
    }
  }

  const commandsBranch: Part = async (t) => {
    const parent = await stage.createTopic('commanded')
    const past = text(20, 'commanded')
    await kcat.sendLines(parent, past)
    const branch = `${parent}--try`
    const command = JSON.stringify({ op: 'fork', id: branch, from: parent, to: branch })
    await kcat.run(['-P', '-t', '__branch_commands'], `${command}\n`)
    const told = async () => (await kcat.read('__branches', 'beginning')).map(({ value }) => JSON.parse(String(value)))
    await until('the fork is told', async () => (await told()).some(({ id }) => id === branch))
    t.match(
      (await told()).find(({ id }) => id === branch),
      { type: 'fork', status: 'done', topics: [{ from: parent, into: branch }] },
    )
    t.same(lines(await kcat.read(branch, 'beginning')), asRead(past))
  }

  const { stdout } = await kcat.attempt(['-V'])
  const version = /Version (\S+).*librdkafka ([\d.]+)/s.exec(stdout.toString())
  const parts: Parts = {
    'topic.create': noAdmin,
    'topic.exists': noAdmin,
    'topic.grow': noAdmin,
    'topic.config': noAdmin,
    'topic.delete': noAdmin,
    'records.delete': noAdmin,
    'group.admin': noAdmin,

    'topic.auto': async (t) => {
      const topic = fresh('kcat-auto')
      await kcat.sendOne(topic, record('k', 'v'))
      t.same(lines(await kcat.read(topic, 'beginning')), asRead([record('k', 'v')]))
      const { stdout } = await kcat.run(['-L', '-J', '-t', topic])
      const listed = JSON.parse(stdout.toString())
      t.match(listed.topics, [{ topic, partitions: [{ partition: 0, leader: listed.brokers[0].id }] }])
      t.equal(listed.brokers[0].name, broker.bootstrap, 'a client is sent back to where it came in')
    },

    'produce.none': codec('none'),
    'produce.gzip': codec('gzip'),
    'produce.snappy': codec('snappy'),
    'produce.lz4': codec('lz4'),
    'produce.zstd': codec('zstd'),
    'produce.acks-0': sending('acks0', ['-X', 'acks=0']),
    'produce.acks-1': sending('acks1', ['-X', 'acks=1']),
    'produce.acks-all': sending('acks-all', ['-X', 'acks=all']),

    'produce.shapes': async (t) => {
      const own = await stage.createTopic('shapes')
      // A header value is an argument, which is text without NUL; and kcat prints one only up to its first NUL.
      const printable = shapes.filter(({ headers }) => !headers.some(([, held]) => held?.includes(0)))
      const typable = printable.filter(({ headers }) => headers.every(([, held]) => !held || isUtf8(held)))
      const sent = [...typable, record('a header without a value', 'v', [['none', null]])]
      for (const shape of sent) await kcat.sendOne(own, shape)
      t.same(lines(await kcat.read(own, 'beginning')), asRead(sent))

      const foreign = await stage.createTopic('shapes-from-kafkajs')
      await stage.send(foreign, printable)
      t.same(lines(await kcat.read(foreign, 'beginning')), asRead(printable), 'and what KafkaJS wrote')
    },

    'produce.large': async (t) => {
      const topic = await stage.createTopic('large')
      const sent = [record('before', 'small'), large, record('after', 'small')]
      for (const each of sent) await kcat.sendOne(topic, each, ['-X', 'message.max.bytes=1048588'])
      const read = await kcat.read(topic, 'beginning')
      t.same(
        read.map(({ value }) => value!.length),
        [5, 1_000_000, 5],
      )
      t.ok(read[1]?.value?.equals(large.value!), 'every byte of it')
    },

    'produce.too-large': async (t) => {
      const topic = await stage.createTopic('too-large', 1, { 'max.message.bytes': '10000' })
      const refused = await kcat.attempt(['-P', '-t', topic, '-p', '0', '-D', '<never>'], incompressible(20_000))
      t.not(refused.code, 0)
      t.match(refused.stderr, /Message size too large/)
      await kcat.sendOne(topic, record('k', 'small'))
      t.same(lines(await kcat.read(topic, 'beginning')), asRead([record('k', 'small')]), 'only the small one is there')
    },

    'produce.idempotent': async (t) => {
      const topic = await stage.createTopic('idempotent')
      const sent = text(5_000, 'idempotent')
      const small = ['-X', 'batch.num.messages=50', '-X', 'linger.ms=1'] // 100 batches, five of them on the way at a time
      await kcat.sendLines(topic, sent, ['-X', 'enable.idempotence=true', ...small])
      t.same(lines(await kcat.read(topic, 'beginning')), asRead(sent))
    },

    'branch.create': noAdmin,
    'branch.command': noBranches ?? commandsBranch,

    'consume.start': async (t) => {
      const { topic, sent } = await spaced('start')
      t.same(lines(await kcat.read(topic, 'beginning')), asRead(sent))
    },

    'consume.offset': async (t) => {
      const { topic, sent } = await spaced('offset')
      t.same(lines(await kcat.read(topic, '17')), asRead(sent.slice(17)))
      t.same(lines(await kcat.read(topic, '-4', ['-p', '0'])), asRead(sent.slice(26)), 'counted from the end')
    },

    'consume.end': async (t) => {
      const { topic } = await spaced('end')
      const reader = kcat.start(['-C', '-u', '-t', topic, '-o', 'end', '-f', '%o %s\n'])
      await until('kcat stands at the end', () => reader.stderr.includes('Reached end of topic'))
      await kcat.sendOne(topic, record('later', 'later'))
      await until('the later record came', () => reader.stdout.length > 0)
      const { stdout } = await reader.stop()
      t.equal(stdout.toString(), '30 later\n')
    },

    'consume.timestamp': async (t) => {
      const { topic, sent, firstAt } = await spaced('timestamp')
      const offsetAt = async (timestamp: number) => {
        const { stdout } = await kcat.run(['-Q', '-t', `${topic}:0:${timestamp}`])
        return stdout.toString().trim()
      }
      t.equal(await offsetAt(firstAt + 14_000), `${topic} [0] offset 14`, 'the very millisecond')
      t.equal(await offsetAt(firstAt + 14_001), `${topic} [0] offset 15`, 'between two records: the later one')
      t.equal(await offsetAt(-2), `${topic} [0] offset 0`)
      t.equal(await offsetAt(-1), `${topic} [0] offset 30`)
      t.same(lines(await kcat.read(topic, `s@${firstAt + 14_001}`, ['-p', '0'])), asRead(sent.slice(15)))
    },

    'group.rebalance': async (t) => {
      const topic = await stage.createTopic('rebalance', partitionCount)
      const groupId = `${topic}-group`
      const keysOf = (...members: { stdout: Buffer }[]) =>
        [...new Set(members.flatMap(({ stdout }) => parsed(stdout)).map(({ key }) => String(key)))].sort()

      const first = kcat.member(groupId, topic)
      await until('the first member has all partitions', () => assigned(first.stderr).length === partitionCount)
      const early = await spread(topic, 'early')
      await until('the first member saw the early records', () => keysOf(first).length === 40)

      const second = kcat.member(groupId, topic)
      await until('both have a part', () => assigned(first.stderr).length === 2 && assigned(second.stderr).length === 2)
      t.same([...assigned(first.stderr), ...assigned(second.stderr)].sort(), [0, 1, 2, 3], 'the parts do not overlap')
      const shared = await spread(topic, 'shared')
      await until('both together saw the shared records', () => keysOf(first, second).length === 80)

      const { code } = await first.stop()
      t.equal(code, 0, 'the first member left cleanly')
      await until('the second member has all partitions', () => assigned(second.stderr).length === partitionCount)
      const late = await spread(topic, 'late')
      await until('the second member saw the late records', () => keysOf(first, second).length === 120)
      await second.stop()
      t.same(keysOf(first, second), [...early, ...shared, ...late].sort(), 'no record is lost')
      t.same(
        keysOf(second).filter((key) => key.startsWith('late')),
        late,
      )
    },

    'group.resume': async (t) => {
      const topic = await stage.createTopic('resume')
      const groupId = `${topic}-group`
      const sent = text(30, 'resume')
      await kcat.sendLines(topic, sent.slice(0, 20))
      const first = kcat.member(groupId, topic)
      await until('the first member saw everything', () => parsed(first.stdout).length === 20)
      await first.stop() // commits as it leaves
      await kcat.sendLines(topic, sent.slice(20))
      const second = kcat.member(groupId, topic)
      await until('the second member saw the rest', () => parsed(second.stdout).length >= 10)
      const { stdout } = await second.stop()
      t.same(lines(parsed(stdout)), asRead(sent.slice(20)), 'the rest, and nothing twice')
    },

    'restart.SIGTERM': across('SIGTERM'),
    'restart.SIGKILL': across('SIGKILL'),
  }
  const noVerb = 'kcat has no command for that'
  await playParts(t, 'kcat', version ? `${version[1]}, librdkafka ${version[2]}` : 'unknown', parts, noVerb)
}

/** The partitions of the last assignment that a member has reported, none after a revocation. */
function assigned(stderr: string): number[] {
  const last = stderr.split('\n').findLast((said) => said.includes(' rebalanced '))
  const list = last?.match(/: assigned: (.*)$/)?.[1] ?? ''
  return [...list.matchAll(/\[(\d+)\]/g)].map(([, partition]) => Number(partition))
}
