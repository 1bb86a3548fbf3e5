// kafka-topics, kafka-configs, kafka-get-offsets and kafka-delete-records.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Parts } from '../../play.ts'
import { until } from '../../process.ts'
import { fresh, text } from '../../records.ts'
import { noBranches } from '../../scenarios/branches.ts'
import type { Beside } from '../beside.ts'
import type { Console } from './tools.ts'

export function topicParts(kafka: Console, beside: Beside) {
  async function list(): Promise<string[]> {
    return (await kafka.run('topics', ['--list'])).split('\n')
  }

  async function create(name: string, ...args: string[]): Promise<string> {
    const topic = fresh(`java-${name}`)
    await kafka.run('topics', ['--create', '--topic', topic, ...args])
    return topic
  }

  async function describe(topic: string): Promise<string> {
    return kafka.run('topics', ['--describe', '--topic', topic])
  }

  /** The lines `topic:partition:offset` of kafka-get-offsets. */
  async function offsets(topic: string, time: string): Promise<string[]> {
    return (await kafka.run('offsets', ['--topic', topic, '--time', time])).trim().split('\n').sort()
  }

  return {
    'topic.create': async (t) => {
      const topic = await create(
        'create',
        '--partitions',
        '3',
        '--config',
        'retention.ms=3600000',
        '--config',
        'cleanup.policy=compact',
      )
      t.ok((await list()).includes(topic), 'the topic is listed')
      const [head, ...partitions] = (await describe(topic)).trim().split('\n')
      t.match(head, /PartitionCount: 3\tReplicationFactor: 1/)
      t.match(head, /TopicId: (?!AAAAAAAAAAAAAAAAAAAAAA)\S{22}\t/, 'with an id that is not zero')
      t.match(head, /retention\.ms=3600000/)
      t.match(head, /cleanup\.policy=compact/)
      t.equal(partitions.length, 3)
      for (const [i, line] of partitions.entries())
        t.match(line, new RegExp(`Partition: ${i}\tLeader: (\\d+)\tReplicas: \\1\tIsr: \\1`))
    },

    'topic.exists': async (t) => {
      const topic = await create('exists', '--partitions', '2')
      const again = await kafka.attempt('topics', ['--create', '--topic', topic, '--partitions', '5'])
      t.not(again.code, 0)
      t.match(again.stdout.toString() + again.stderr, /Topic '.*' already exists/)
      t.match(await describe(topic), /PartitionCount: 2/, 'the first one stays as it was')
      const invalid = await kafka.attempt('topics', ['--create', '--topic', 'a/b'])
      t.not(invalid.code, 0)
      t.match(invalid.stdout.toString() + invalid.stderr, /InvalidTopicException/)
    },

    'branch.create': 'kafka-topics --create checks the names of configurations itself; branch.command is its way',

    'branch.command':
      noBranches ??
      (async (t) => {
        const parent = await create('commanded', '--partitions', '1')
        await kafka.run('producer', ['--topic', parent], 'one\ntwo\n')
        const branch = `${parent}--try`
        const command = JSON.stringify({ op: 'fork', id: branch, from: parent, to: branch })
        await kafka.run('producer', ['--topic', '__branch_commands'], `${command}\n`)
        await until('the branch is listed', async () => (await list()).includes(branch))
        const told = new Map([
          ['branch.from', parent],
          ['branch.from.id', '[\\w-]{22}'],
          ['branch.offsets', '0=2'],
          ['branch.created.ms', '\\d{13}'],
          ['branch.groups', 'none'],
          ['branch.known', '0=[\\w-]{22}:2'],
          ['branch.bytes.own', '0'],
          ['branch.bytes.shared', '[1-9]\\d*'],
        ])
        const [line] = (await describe(branch)).split('\n')
        const configs = await kafka.run('configs', ['--describe', '--topic', branch])
        for (const [name, value] of told) {
          const entry = `${name.replaceAll('.', '\\.')}=${value}`
          t.match(line, new RegExp(`[\\s,]${entry}(,|$)`), `B22: its line says ${name}`)
          t.match(configs, new RegExp(`\\s${entry} sensitive=false`), `and so do its configurations`)
        }
        t.same(await offsets(branch, '-1'), [`${branch}:0:2`])
        const read = ['--topic', branch, '--from-beginning', '--max-messages', '2']
        t.equal(await kafka.run('consumer', read), 'one\ntwo\n')
        await kafka.run('configs', ['--alter', '--topic', branch, '--add-config', 'branch.protect=frozen'])
        const frozen = await kafka.attempt('topics', ['--delete', '--topic', branch])
        t.match(frozen.stdout.toString() + frozen.stderr, /branch\.protect=frozen/, 'it stays until it is taken back')
        await kafka.run('configs', ['--alter', '--topic', branch, '--delete-config', 'branch.protect'])
        await kafka.run('topics', ['--delete', '--topic', branch])
        const history = ['--topic', '__branches', '--from-beginning', '--max-messages', '2']
        const events = (await kafka.run('consumer', history))
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line))
        t.match(events, [{ type: 'fork', id: branch, status: 'done' }, { type: 'delete' }])
      }),

    'revision.turned-on':
      noBranches ??
      (async (t) => {
        const topic = await create('revisions', '--partitions', '1')
        const of = ['--topic', topic]
        await kafka.run('configs', ['--alter', ...of, '--add-config', 'revision.diff=true'])
        t.match((await describe(topic)).split('\n')[0], /revision\.diff=true/, 'R36: it is a revision topic')
        await kafka.run('producer', [...of, '--reader-property', 'parse.key=true'], 'k\tone\nk\ttwo\n')
        const read = [...of, '--from-beginning', '--max-messages', '2', '--formatter-property', 'print.key=true']
        t.equal(await kafka.run('consumer', read), 'k\tone\nk\ttwo\n')
        const compact = ['--alter', ...of, '--add-config', 'cleanup.policy=compact']
        const refused = await kafka.attempt('configs', compact)
        t.match(refused.stdout.toString() + refused.stderr, /InvalidConfigurationException.*revision\.diff/)
        const kept = await kafka.run('configs', ['--describe', ...of, '--all'])
        t.match(kept, /retention\.ms=-1/, 'what is kept is kept for ever')
      }),

    'topic.auto': async (t) => {
      const topic = fresh('java-auto')
      await kafka.run('producer', ['--topic', topic], 'one\ntwo\n')
      const read = await kafka.run('consumer', [
        '--topic',
        topic,
        '--from-beginning',
        '--max-messages',
        '2',
        '--timeout-ms',
        '20000',
      ])
      t.equal(read, 'one\ntwo\n')
    },

    'topic.grow': async (t) => {
      const topic = await create('grow', '--partitions', '1')
      await kafka.run('topics', ['--alter', '--topic', topic, '--partitions', '4'])
      t.match(await describe(topic), /PartitionCount: 4/)
      const shrink = await kafka.attempt('topics', ['--alter', '--topic', topic, '--partitions', '2'])
      t.not(shrink.code, 0, 'partitions never become fewer')
      t.match(shrink.stdout.toString() + shrink.stderr, /InvalidPartitionsException/)
      await kafka.run('producer', ['--topic', topic, '--reader-property', 'parse.key=true'], many(100))
      const counts = (await offsets(topic, '-1')).map((line) => Number(line.split(':')[2]))
      t.equal(counts.length, 4)
      t.ok(
        counts.every((count) => count > 0),
        'keys go to the new partitions too',
      )
      t.equal(
        counts.reduce((a, b) => a + b),
        100,
      )
    },

    'topic.config': async (t) => {
      const topic = await create('config', '--partitions', '1')
      const entity = ['--entity-type', 'topics', '--entity-name', topic]
      const all = await kafka.run('configs', ['--describe', '--all', ...entity])
      t.match(
        all,
        /\n {2}max\.message\.bytes=1048588 sensitive=false synonyms={DEFAULT_CONFIG:message\.max\.bytes=1048588}/,
      )
      t.match(all, /\n {2}cleanup\.policy=delete /)
      await kafka.run('configs', [
        '--alter',
        '--add-config',
        'max.message.bytes=20000,cleanup.policy=[compact,delete]',
        ...entity,
      ])
      const changed = await kafka.run('configs', ['--describe', ...entity])
      t.match(
        changed,
        /max\.message\.bytes=20000 sensitive=false synonyms={DYNAMIC_TOPIC_CONFIG:max\.message\.bytes=20000/,
      )
      t.match(changed, /cleanup\.policy=compact,delete /)
      await kafka.run('configs', ['--alter', '--delete-config', 'max.message.bytes', ...entity])
      const undone = await kafka.run('configs', ['--describe', ...entity])
      t.notMatch(undone, /max\.message\.bytes=/, 'set back to the default')
      t.match(undone, /cleanup\.policy=compact,delete /, 'and nothing else with it')
      const wrong = await kafka.attempt('configs', ['--alter', '--add-config', 'max.message.bytes=many', ...entity])
      t.not(wrong.code, 0)
      t.match(wrong.stdout.toString() + wrong.stderr, /InvalidConfigurationException/)
    },

    'topic.delete': async (t) => {
      const topic = await create('delete', '--partitions', '1')
      await kafka.run('producer', ['--topic', topic], 'before\n')
      const [idBefore] = (await describe(topic)).match(/TopicId: \S+/) ?? []
      await kafka.run('topics', ['--delete', '--topic', topic])
      await until('the topic is gone', async () => !(await list()).includes(topic))
      await kafka.run('topics', ['--create', '--topic', topic, '--partitions', '1'])
      t.same(await offsets(topic, '-1'), [`${topic}:0:0`], 'the new one is empty')
      t.notMatch(await describe(topic), String(idBefore), 'and has an id of its own')
      const never = await kafka.attempt('topics', ['--delete', '--topic', fresh('java-never')])
      t.not(never.code, 0)
      t.match(never.stdout.toString() + never.stderr, /does not exist/)
    },

    'records.delete': async (t) => {
      const topic = await create('delete-records', '--partitions', '1')
      const sent = text(20, 'delete')
      await beside.send(topic, sent)
      const folder = await mkdtemp(join(tmpdir(), 'compat-java-'))
      const file = join(folder, 'offsets.json')
      await writeFile(file, JSON.stringify({ version: 1, partitions: [{ topic, partition: 0, offset: 13 }] }))
      const said = await kafka.run('deleteRecords', ['--offset-json-file', file])
      await rm(folder, { recursive: true })
      t.match(said, `partition: ${topic}-0\tlow_watermark: 13`)
      t.same(await offsets(topic, '-2'), [`${topic}:0:13`])
      t.same(await offsets(topic, '-1'), [`${topic}:0:20`])
      const read = await kafka.run('consumer', [
        '--topic',
        topic,
        '--from-beginning',
        '--max-messages',
        '7',
        '--timeout-ms',
        '20000',
      ])
      t.equal(
        read,
        sent
          .slice(13)
          .map(({ value }) => `${value}\n`)
          .join(''),
      )
    },
  } satisfies Parts
}

function many(count: number): string {
  return Array.from({ length: count }, (_, i) => `key ${i}\tvalue ${i}\n`).join('')
}
