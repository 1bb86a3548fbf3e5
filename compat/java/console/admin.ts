// kafka-log-dirs, kafka-cluster, and kafka-configs for brokers and quotas.
import type { Parts } from '../../play.ts'
import { fresh, incompressible, record } from '../../records.ts'
import type { Beside } from '../beside.ts'
import type { Console } from './tools.ts'

export function adminParts(kafka: Console, beside: Beside, bootstrap: string) {
  return {
    'admin.cluster': async (t) => {
      t.match(await kafka.run('cluster', ['cluster-id']), /^Cluster ID: \S+/)
      const endpoints = await kafka.run('cluster', ['list-endpoints'])
      const [host, port] = bootstrap.split(':')
      t.match(endpoints, new RegExp(`${host!.replaceAll('.', '\\.')}\\s+${port}`))
    },

    'admin.log-dirs': async (t) => {
      const topic = fresh('console-log-dirs')
      await kafka.run('topics', ['--create', '--topic', topic])
      await beside.send(topic, [record('large', incompressible(200_000))])
      const lines = (await kafka.run('logDirs', ['--describe', '--topic-list', topic])).split('\n')
      const found = JSON.parse(lines.find((line) => line.startsWith('{'))!)
      const [directory] = found.brokers[0].logDirs
      t.equal(directory.error, null)
      t.match(directory.partitions, [{ partition: `${topic}-0`, offsetLag: 0, isFuture: false }])
      t.ok(directory.partitions[0].size >= 200_000, 'as large as what was sent')
    },

    'admin.quotas': async (t) => {
      const entity = ['--entity-type', 'clients', '--entity-name', fresh('console-quota')]
      const describe = () => kafka.run('configs', ['--describe', ...entity])
      await kafka.run('configs', [
        '--alter',
        ...entity,
        '--add-config',
        'producer_byte_rate=1000,request_percentage=50',
      ])
      t.match(
        await describe(),
        /producer_byte_rate=1000\.0.*request_percentage=50\.0|request_percentage=50\.0.*producer_byte_rate=1000\.0/,
      )
      await kafka.run('configs', ['--alter', ...entity, '--delete-config', 'producer_byte_rate,request_percentage'])
      t.notMatch(await describe(), /producer_byte_rate/)
    },

    'admin.broker-config': async (t) => {
      const brokers = ['--entity-type', 'brokers', '--entity-default']
      await kafka.run('configs', ['--alter', ...brokers, '--add-config', 'log.retention.ms=123456789'])
      t.match(await kafka.run('configs', ['--describe', ...brokers]), /log\.retention\.ms=123456789/)
      await kafka.run('configs', ['--alter', ...brokers, '--delete-config', 'log.retention.ms'])
      t.notMatch(await kafka.run('configs', ['--describe', ...brokers]), /log\.retention\.ms=123456789/)
    },
  } satisfies Parts
}
