// What an administrator asks besides topics and groups.
import { until } from '../process.ts'
import { incompressible, record } from '../records.ts'
import { scenario } from '../scenario.ts'

export const administration = {
  'admin.cluster': scenario('the cluster is described with its id, its controller and its brokers', async (stage) => {
    const { clusterId, controller, brokers } = await stage.ask('describeCluster', {})
    stage.ok(clusterId.length > 0, 'there is an id')
    stage.ok(
      brokers.some(({ id }) => id === controller),
      'the controller is one of the brokers',
    )
    stage.ok(
      brokers.some(({ host, port }) => `${host}:${port}` === stage.broker.bootstrap),
      'a client is sent back to where it came in',
    )
  }),

  'admin.broker-config': scenario(
    'a broker’s configs are described, and a dynamic one is altered and set back',
    async (stage) => {
      const { brokers } = await stage.ask('describeCluster', {})
      const name = String(brokers[0]!.id)
      const key = 'log.retention.ms'
      const value = async () =>
        (await stage.ask('describeConfigs', { resource: 'broker', name, names: [key] })).configs[key]?.value
      const before = await value()
      await stage.ask('alterConfigs', { resource: 'broker', name, set: { [key]: '123456789' } })
      await until('the change is seen', async () => (await value()) === '123456789')
      await stage.ask('alterConfigs', { resource: 'broker', name, remove: [key] })
      await until('it is set back', async () => (await value()) === before)
      stage.same(await value(), before)
    },
  ),

  'admin.log-dirs': scenario('the log directories tell how large a topic is', async (stage) => {
    const topic = await stage.topic('log-dirs', 2)
    await stage.send(topic, [record('large', incompressible(200_000))], { partition: 1 })
    await until('the size is known', async () => {
      const { sizes } = await stage.ask('describeLogDirs', { topic })
      const bytes = sizes.find(({ partition }) => partition === 1)?.bytes ?? 0
      return bytes >= 200_000 && bytes < 400_000
    })
    const { sizes } = await stage.ask('describeLogDirs', { topic })
    stage.same(sizes.map(({ partition }) => partition).sort(), [0, 1])
  }),

  'admin.quotas': scenario('quotas of a client id are set, described and removed', async (stage) => {
    const clientId = stage.name('quota')
    const quotas = async () => (await stage.ask('describeQuotas', { clientId })).quotas
    await stage.ask('setQuotas', { clientId, quotas: { producer_byte_rate: 100_000, consumer_byte_rate: 200_000 } })
    await until('they are set', async () => Object.keys(await quotas()).length === 2)
    stage.same({ ...(await quotas()) }, { producer_byte_rate: 100_000, consumer_byte_rate: 200_000 })
    await stage.ask('setQuotas', { clientId, quotas: { producer_byte_rate: null, consumer_byte_rate: null } })
    await until('they are gone', async () => Object.keys(await quotas()).length === 0)
    await stage.refused(stage.ask('setQuotas', { clientId, quotas: { no_such_quota: 1 } }), 'INVALID_REQUEST', 'CLIENT')
  }),
}
