// kafka-console-share-consumer and kafka-share-groups.
import type { Parts } from '../../play.ts'
import { until } from '../../process.ts'
import { fresh, text } from '../../records.ts'
import type { Beside } from '../beside.ts'
import type { Console } from './tools.ts'

export function shareParts(kafka: Console, beside: Beside) {
  async function queue(what: string, count: number) {
    const topic = fresh(`console-${what}`)
    const group = `${topic}-share`
    await kafka.run('topics', ['--create', '--topic', topic])
    const earliest = ['--add-config', 'share.auto.offset.reset=earliest']
    await kafka.run('configs', ['--alter', '--entity-type', 'groups', '--entity-name', group, ...earliest])
    const sent = text(count, what)
    await beside.send(topic, sent)
    return { topic, group, values: sent.map(({ value }) => `${value}\n`) }
  }

  async function take(topic: string, group: string, count: number, ...more: string[]): Promise<string> {
    const limits = ['--max-messages', String(count), '--timeout-ms', '20000']
    return kafka.run('shareConsumer', ['--topic', topic, '--group', group, ...limits, ...more])
  }

  return {
    'share.accept': async (t) => {
      const { topic, group, values } = await queue('share-accept', 20)
      t.equal(await take(topic, group, 20), values.join(''))
      await beside.send(topic, text(1, 'later'))
      t.equal(
        await take(topic, group, 1),
        String(text(1, 'later').map(({ value }) => `${value}\n`)),
        'only what is new',
      )
    },

    'share.release': async (t) => {
      const { topic, group, values } = await queue('share-release', 3)
      t.equal(await take(topic, group, 3, '--release'), values.join(''))
      const again = await take(topic, group, 3, '--formatter-property', 'print.delivery=true')
      t.same(again.match(/Delivery:\d+/g), ['Delivery:2', 'Delivery:2', 'Delivery:2'])
    },

    'share.reject': async (t) => {
      const { topic, group, values } = await queue('share-reject', 3)
      t.equal(await take(topic, group, 3, '--reject'), values.join(''))
      await beside.send(topic, text(1, 'later'))
      t.equal(await take(topic, group, 1), String(text(1, 'later').map(({ value }) => `${value}\n`)))
    },

    'share.describe': async (t) => {
      const { topic, group } = await queue('share-describe', 5)
      const running = kafka.start('shareConsumer', ['--topic', topic, '--group', group])
      await until('the records came', () => running.stdout.toString().split('\n').length > 5)
      t.ok((await kafka.run('shareGroups', ['--list'])).split('\n').includes(group), 'listed')
      const members = await kafka.run('shareGroups', ['--describe', '--group', group, '--members'])
      t.match(members, new RegExp(`${group}.*${topic}:0`))
      const busy = await kafka.attempt('shareGroups', ['--delete', '--group', group])
      t.match(busy.stdout.toString() + busy.stderr, /not empty|GroupNotEmpty/i)
      await running.stop()
      await until('it is empty', async () =>
        /\sEmpty\s+0/.test(await kafka.run('shareGroups', ['--describe', '--group', group, '--state'])),
      )
      /** What is left to do; the start offset itself is written down late. */
      const lag = async () => {
        const line = await kafka.run('shareGroups', ['--describe', '--group', group, '--offsets'])
        return new RegExp(`^${group}\\s+${topic}\\s+0\\s+\\S+\\s+(\\d+)`, 'm').exec(line)?.[1]
      }
      await until('all five are behind it', async () => (await lag()) === '0')
      const reset = ['--reset-offsets', '--group', group, '--topic', topic, '--to-earliest', '--execute']
      await kafka.run('shareGroups', reset)
      await until('it is set back to the start', async () => (await lag()) === '5')
      t.equal((await take(topic, group, 5)).split('\n').length, 6, 'they come again')
      await until('it is empty again', async () =>
        /\sEmpty\s+0/.test(await kafka.run('shareGroups', ['--describe', '--group', group, '--state'])),
      )
      await kafka.run('shareGroups', ['--delete', '--group', group])
      t.notOk((await kafka.run('shareGroups', ['--list'])).split('\n').includes(group), 'gone')
    },
  } satisfies Parts
}
