// Kafka Streams: a word count, and exactly-once that is held against kill -9 of the application and of the broker in turn.
// COMPAT_KILLS=20 kills it more often than the three times of a usual run.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import tap from 'tap'
import type { BrokerUnderTest } from '../broker.ts'
import type { Hand, RecordRead } from '../hand.ts'
import { packed } from '../hand.ts'
import { playApplication } from '../play.ts'
import { Running, until } from '../process.ts'
import { fresh, record } from '../records.ts'
import { noBranches } from '../scenarios/branches.ts'
import { Beside } from './beside.ts'
import { classes, jars, jvm } from './jars.ts'

const version = '4.3.1'
const { COMPAT_KILLS } = process.env
const kills = Number(COMPAT_KILLS ?? 3)
const partitionCount = 3
const keyCount = 17
const quiet = '-Dorg.slf4j.simpleLogger.defaultLogLevel=error'

await playApplication({ name: 'streams', version, needs: ['java', 'javac', 'mvn'], prepare }, play)

async function prepare(): Promise<readonly string[]> {
  const path = await classes('streams', ['streams'], await jars('streams'))
  return ['java', ...jvm, quiet, '-cp', path, 'App']
}

async function play(broker: BrokerUnderTest, command: readonly string[]) {
  const beside = await Beside.of(broker.bootstrap)
  const folder = await mkdtemp(join(tmpdir(), 'twiglog-streams-'))
  tap.teardown(async () => {
    await beside.stop()
    await rm(folder, { recursive: true, force: true })
  })
  const { hand } = beside

  function start(kind: string, id: string, input: string, output: string, ...settings: string[]): Running {
    return startAt(broker.bootstrap, kind, id, input, output, ...settings)
  }

  function startAt(bootstrap: string, ...words: readonly [string, string, string, string, ...string[]]): Running {
    const [program, ...args] = command
    const [kind, id, input, output, ...settings] = words
    return new Running(program!, [...args, bootstrap, kind, id, input, output, folder, ...settings])
  }

  async function running(app: Running): Promise<Running> {
    await until(
      'the application runs',
      () => {
        if (app.child.exitCode !== null) throw new Error(`the application ended: ${app.stderr}`)
        return app.stdout.includes('RUNNING\n')
      },
      60_000,
    )
    return app
  }

  async function topics(...names: string[]): Promise<void> {
    for (const topic of names) await hand.ask('createTopic', { topic, partitions: partitionCount })
  }

  /** What read_committed shows of a topic, read once and then further. */
  function outputOf(topic: string, of: Hand = hand) {
    const partitions = Array.from({ length: partitionCount }, (_, partition) => partition)
    const consumers = partitions.map((partition) => `${topic}-${partition}`)
    const seen: RecordRead[] = []
    // Without a group: a member may have to join anew when the broker was away, and would read from the start again.
    const opened = Promise.all(
      partitions.map((partition) =>
        of.ask('openConsumer', {
          consumer: consumers[partition]!,
          topic,
          partition,
          from: 'start',
          isolation: 'read_committed',
        }),
      ),
    )
    return {
      async more() {
        await opened
        for (const consumer of consumers) seen.push(...(await of.ask('poll', { consumer, ms: 100 })).records)
        return seen.map(({ key, value }) => [decoded(key), Number(decoded(value))] as const)
      },
      async close() {
        for (const consumer of consumers) await of.ask('closeConsumer', { consumer })
      },
    }
  }

  return {
    'streams.word-count': async (t: Test) => {
      const [input, output] = [fresh('words'), fresh('words-counted')]
      await topics(input, output)
      const app = await running(start('words', fresh('word-count'), input, output))
      const lines = ['the quick brown fox', 'jumps over the lazy dog', 'The dog sleeps; the fox does not']
      await beside.send(
        input,
        lines.map((line) => record(null, line)),
      )
      const counted = outputOf(output)
      let counts = new Map<string, number>()
      await until('every word is counted', async () => {
        counts = new Map(await counted.more())
        return [...counts.values()].reduce((sum, count) => sum + count, 0) === 16
      })
      await counted.close()
      const { code } = await app.stop()
      t.ok(code === 0 || code === 143, `it closes in order (${code})`)
      t.same(counts.get('the'), 4)
      t.same(counts.size, 11)
    },

    'streams.set':
      noBranches ??
      (async (t: Test) => {
        const [input, output, set] = [fresh('words'), fresh('words-counted'), fresh('set')]
        await topics(input, output)
        await beside.send(input, [record(null, 'the past is there too')])
        const forks = [{ from: input }, { from: output }]
        for (const command of [
          { op: 'fork', id: `fork-${set}`, set, topics: forks },
          { op: 'listen', id: `listen-${set}`, set },
        ])
          await beside.send('__branch_commands', [record(null, JSON.stringify(command))])
        let bootstrap: string | undefined
        await until('the listener is there', async () => {
          const end = await beside.end('__branches').catch(() => 0) // made with the first event
          const told = await beside.read('__branches', 0, end)
          const events = told.map((one) => JSON.parse(String(one.record.value)))
          bootstrap = events.find(({ id }) => id === `listen-${set}`)?.bootstrap
          return bootstrap !== undefined
        })
        const within = await Beside.of(bootstrap!)
        try {
          const id = fresh('word-count')
          const app = await running(startAt(bootstrap!, 'words', id, input, output))
          await within.send(input, [record(null, 'The set is a life')])
          const counted = outputOf(output, within.hand)
          let counts = new Map<string, number>()
          await until('every word is counted', async () => {
            counts = new Map(await counted.more())
            return [...counts.values()].reduce((sum, count) => sum + count, 0) === 10
          })
          await counted.close()
          await app.stop()
          t.same(counts.get('the'), 2, 'the past and the present are counted together')
          const own = (await within.hand.ask('listTopics', {})).topics.filter((name) => name.startsWith(id))
          t.same(own.length, 2, `a repartition topic and a changelog are inside: ${own}`)
          const outside = (await hand.ask('listTopics', {})).topics
          t.notOk(
            outside.some((name) => name.startsWith(id)),
            'and not outside',
          )
          t.same(await beside.end(input), 1, 'nothing was written to the root')
          t.same(await beside.end(output), 0)
        } finally {
          await within.stop()
        }
      }),

    'streams.exactly-once':
      broker.restartSkip ??
      (async (t: Test) => {
        const [input, output] = [fresh('keys'), fresh('keys-counted')]
        const id = fresh('exactly-once')
        await topics(input, output)
        // A static member is back at once; the time of its session would be most of the test.
        const settings = ['processing.guarantee=exactly_once_v2', `group.instance.id=${id}`, 'num.stream.threads=2']
        let app = await running(start('keys', id, input, output, ...settings))
        const producer = 'feed'
        await hand.ask('openProducer', { producer, idempotent: true })
        const sent = new Map<string, number>()
        const feed = async (count: number) => {
          const records = Array.from({ length: count }, (_, i) => {
            const key = `key-${i % keyCount}`
            sent.set(key, (sent.get(key) ?? 0) + 1)
            return packed(record(key, `${i}`))
          })
          await hand.ask('produce', { producer, topic: input, records })
        }
        const counted = outputOf(output)
        let steps: (readonly [string, number])[] = []
        const hasMore = async (count: number) => {
          steps = await counted.more()
          return steps.length > count
        }
        await feed(500)
        await until('the first counts come', () => hasMore(100))
        for (let kill = 0; kill < kills; kill++) {
          await feed(1_000)
          const before = steps.length
          await until('it is in the middle', () => hasMore(before))
          if (kill % 2 === 0) {
            await app.stop('SIGKILL')
            await feed(200)
            app = await running(start('keys', id, input, output, ...settings))
          } else {
            await broker.restart('SIGKILL')
            await feed(200)
          }
          t.pass(`kill ${kill + 1}, ${kill % 2 === 0 ? 'the application' : 'the broker'}`)
        }
        await feed(500)
        const total = [...sent.values()].reduce((sum, count) => sum + count)
        await until('everything is counted', () => hasMore(total - 1), 60_000)
        steps = await counted.more()
        t.equal(steps.length, total, 'as many steps as records')
        for (const [key, count] of sent) {
          const own = steps.filter(([name]) => name === key).map(([, value]) => value)
          t.same(
            own,
            Array.from({ length: count }, (_, i) => i + 1),
            `${key}: each count once, in order, up to ${count}`,
          )
        }
        await counted.close()
        await app.stop()
      }),
  }
}

function decoded(bytes: string | null): string {
  return Buffer.from(bytes ?? '', 'base64').toString()
}
