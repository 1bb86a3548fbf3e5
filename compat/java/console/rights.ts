// kafka-acls, and the other tools where they may not, on a broker of its own with Kafka's authorizer.
import { startGuarded } from '../../broker.ts'
import type { Parts } from '../../play.ts'
import { fresh } from '../../records.ts'
import { noBranches } from '../../scenarios/branches.ts'
import { Console } from './tools.ts'

export function rightsParts() {
  return {
    'branch.rights':
      noBranches ??
      (async (t) => {
        const broker = await startGuarded()
        t.teardown(() => broker.stop())
        const kafka = await Console.of(broker.bootstrap)
        const topic = fresh('console-guarded')
        const onTopic = ['--topic', topic]
        await kafka.run('topics', ['--create', ...onTopic])
        const writer = ['--allow-principal', 'User:ANONYMOUS', '--operation', 'Write']
        t.match(await kafka.run('acls', ['--add', ...writer, ...onTopic]), /User:ANONYMOUS.*WRITE.*ALLOW/)
        const list = () => kafka.run('acls', ['--list', ...onTopic])
        t.match(await list(), /principal=User:ANONYMOUS, host=\*, operation=WRITE, permissionType=ALLOW/)

        await kafka.run('producer', onTopic, 'it may write\n')
        const patience = ['--max-messages', '1', '--timeout-ms', '20000']
        const reading = await kafka.attempt('consumer', [...onTopic, '--from-beginning', ...patience])
        t.match(`${reading.stdout}${reading.stderr}`, /TopicAuthorizationException|Not authorized to access topics/)
        const fork = (id: string) => JSON.stringify({ op: 'fork', id, from: topic, to: `${topic}--${id}` })
        await kafka.run('producer', ['--topic', '__branch_commands'], `${fork('f1')}\n`)
        const told = async (count: number) => {
          const limits = ['--max-messages', String(count), '--timeout-ms', '20000']
          const lines = await kafka.run('consumer', ['--topic', '__branches', '--from-beginning', ...limits])
          return JSON.parse(lines.trim().split('\n').at(-1)!)
        }
        t.match(await told(1), { id: 'f1', status: 'rejected', error: { code: 'TOPIC_AUTHORIZATION_FAILED' } })

        await kafka.run('acls', ['--remove', '--force', ...writer, ...onTopic])
        t.notMatch(await list(), /ANONYMOUS/)
        await kafka.run('producer', ['--topic', '__branch_commands'], `${fork('f2')}\n`)
        t.match(await told(2), { id: 'f2', status: 'done' })
        t.match(await kafka.run('consumer', [...onTopic, '--from-beginning', ...patience]), /it may write/)
      }),
  } satisfies Parts
}
