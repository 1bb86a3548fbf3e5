// Kafka Connect, standalone: lines of a file into a topic, and the topic into another file; killed in the middle it goes on.
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import tap from 'tap'
import type { BrokerUnderTest } from '../broker.ts'
import { playApplication } from '../play.ts'
import { Running, until } from '../process.ts'
import { fresh } from '../records.ts'
import { Beside } from './beside.ts'
import { jars, jvm } from './jars.ts'

await playApplication({ name: 'connect', version: '4.3.1', needs: ['java', 'javac', 'mvn'], prepare }, play)

async function prepare(): Promise<readonly string[]> {
  return ['java', ...jvm, '-cp', await jars('connect'), 'org.apache.kafka.connect.cli.ConnectStandalone']
}

async function play(broker: BrokerUnderTest, command: readonly string[]) {
  const beside = await Beside.of(broker.bootstrap)
  const folder = await mkdtemp(join(tmpdir(), 'twiglog-connect-'))
  tap.teardown(async () => {
    await beside.stop()
    await rm(folder, { recursive: true, force: true })
  })
  const file = (name: string) => join(folder, name)

  async function properties(name: string, settings: { [name: string]: string }): Promise<string> {
    const lines = Object.entries(settings).map(([key, value]) => `${key}=${value}\n`)
    await writeFile(file(name), lines.join(''))
    return file(name)
  }

  return {
    'connect.file': async (t: Test) => {
      const topic = fresh('connect')
      await beside.hand.ask('createTopic', { topic, partitions: 1 })
      const string = 'org.apache.kafka.connect.storage.StringConverter'
      const args = [
        await properties('worker.properties', {
          'bootstrap.servers': broker.bootstrap,
          'key.converter': string,
          'value.converter': string,
          'offset.storage.file.filename': file('offsets'),
          'offset.flush.interval.ms': '200',
          listeners: 'http://127.0.0.1:0',
        }),
        await properties('source.properties', {
          name: `${topic}-source`,
          'connector.class': 'org.apache.kafka.connect.file.FileStreamSourceConnector',
          'tasks.max': '1',
          file: file('source.txt'),
          topic,
        }),
        await properties('sink.properties', {
          name: `${topic}-sink`,
          'connector.class': 'org.apache.kafka.connect.file.FileStreamSinkConnector',
          'tasks.max': '1',
          file: file('sink.txt'),
          topics: topic,
        }),
      ]
      const start = () => new Running(command[0]!, [...command.slice(1), ...args])
      const sunk = async () => (await readFile(file('sink.txt'), 'utf8').catch(() => '')).split('\n').slice(0, -1)
      const lines = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `line ${from + i}`)
      const write = (from: number, to: number) =>
        appendFile(
          file('source.txt'),
          lines(from, to)
            .map((line) => `${line}\n`)
            .join(''),
        )

      await write(0, 500)
      let connect = start()
      const alive = () => {
        if (connect.child.exitCode !== null) throw new Error(`Connect ended: ${connect.stdout}${connect.stderr}`)
      }
      await until(
        'the first lines are in the other file',
        async () => {
          alive()
          return (await sunk()).length >= 500
        },
        60_000,
      )
      t.same(await sunk(), lines(0, 500), 'each once, in order')

      await connect.stop('SIGKILL')
      await write(500, 1_000)
      connect = start()
      await until(
        'the others came too',
        async () => {
          alive()
          return (await sunk()).includes('line 999')
        },
        60_000,
      )
      const distinct = [...new Set(await sunk())]
      t.same(distinct, lines(0, 1_000), 'none is missing; what was not yet committed may come again')
      await connect.stop()
    },
  }
}
