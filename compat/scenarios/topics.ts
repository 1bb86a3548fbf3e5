// Topics: made, listed, configured, grown, deleted and made again.
import { Refused } from '../hand.ts'
import { until } from '../process.ts'
import { record, shown, text } from '../records.ts'
import { scenario } from '../scenario.ts'
import type { Stage } from '../stage.ts'

async function isListed(stage: Stage, topic: string): Promise<boolean> {
  return (await stage.ask('listTopics', {})).topics.includes(topic)
}

async function config(stage: Stage, topic: string, name: string) {
  const { configs } = await stage.ask('describeConfigs', { resource: 'topic', name: topic, names: [name] })
  return configs[name]
}

export const topics = {
  'topic.create': scenario(
    'a topic is created with the partitions and configs asked for, listed and described',
    async (stage) => {
      const topic = await stage.topic('create', 3, { 'retention.ms': '3600000' })
      await until('the topic is listed', () => isListed(stage, topic))
      const { partitions } = await stage.ask('describeTopic', { topic })
      stage.same(
        partitions.map(({ partition }) => partition),
        [0, 1, 2],
      )
      stage.ok(
        partitions.every(({ leader }) => leader >= 0),
        'each partition has a leader',
      )
      if (stage.can('describeConfigs')) {
        const entry = await config(stage, topic, 'retention.ms')
        stage.same(entry?.value, '3600000')
        if (entry?.source) stage.same(entry.source, 'DYNAMIC_TOPIC_CONFIG')
      }
      await stage.refused(
        stage.ask('createTopic', { topic: 'a name/with a slash', partitions: 1 }),
        'INVALID_TOPIC_EXCEPTION',
      )
    },
  ),

  'topic.exists': scenario('a topic that exists is not created a second time', async (stage) => {
    const topic = await stage.topic('exists', 2)
    await stage.refused(stage.ask('createTopic', { topic, partitions: 5 }), 'TOPIC_ALREADY_EXISTS')
    stage.same((await stage.ask('describeTopic', { topic })).partitions.length, 2)
  }),

  'topic.auto': scenario('a topic that nobody created appears when something is produced to it', async (stage) => {
    const topic = stage.name('auto')
    const sent = text(3, 'auto')
    await stage.send(topic, sent)
    await stage.holds(topic, sent)
  }),

  'topic.grow': scenario('a topic gets more partitions, and the new ones take records', async (stage) => {
    const topic = await stage.topic('grow', 1)
    await stage.ask('createPartitions', { topic, count: 4 })
    await until(
      'the new partitions are described',
      async () => (await stage.ask('describeTopic', { topic })).partitions.length === 4,
    )
    const sent = text(5, 'grow')
    await stage.send(topic, sent, { partition: 3 })
    await stage.holds(topic, sent, 3)
    await stage.refused(stage.ask('createPartitions', { topic, count: 2 }), 'INVALID_PARTITIONS')
  }),

  'topic.config': scenario(
    'configs are described with their defaults, altered one by one, and set back',
    async (stage) => {
      const topic = await stage.topic('config', 1, { 'retention.ms': '7200000' })
      const name = 'max.message.bytes'
      const before = await config(stage, topic, name)
      stage.same(before?.value, '1048588', 'Kafka’s default')
      if (before?.source) stage.same(before.source, 'DEFAULT_CONFIG')
      await stage.ask('alterConfigs', { resource: 'topic', name: topic, set: { [name]: '20000' } })
      await until('the change is seen', async () => (await config(stage, topic, name))?.value === '20000')
      stage.same((await config(stage, topic, 'retention.ms'))?.value, '7200000', 'the others stay')
      await stage.ask('alterConfigs', { resource: 'topic', name: topic, remove: [name] })
      await until('the change is undone', async () => (await config(stage, topic, name))?.value === '1048588')
      await stage.refused(
        stage.ask('alterConfigs', { resource: 'topic', name: topic, set: { [name]: 'many' } }),
        'INVALID_CONFIG',
        'CLIENT',
      )
      await stage.refused(
        stage.ask('alterConfigs', { resource: 'topic', name: topic, set: { 'no.such.config': '1' } }),
        'INVALID_CONFIG',
        'CLIENT',
      )
    },
  ),

  'topic.config-replaced': scenario('the older way to alter configs sets back what is not given', async (stage) => {
    const topic = await stage.topic('config-replaced', 1, { 'retention.ms': '7200000' })
    await stage.ask('replaceConfigs', { resource: 'topic', name: topic, configs: { 'max.message.bytes': '20000' } })
    await until('the change is seen', async () => (await config(stage, topic, 'max.message.bytes'))?.value === '20000')
    stage.same((await config(stage, topic, 'retention.ms'))?.value, '604800000', 'the default again')
  }),

  'topic.delete': scenario(
    'a deleted topic is no longer listed, and one of the same name starts empty',
    async (stage) => {
      const topic = await stage.topic('delete')
      await stage.send(topic, text(5, 'before'))
      await stage.ask('deleteTopic', { topic })
      await until('the topic is gone', async () => !(await isListed(stage, topic)))
      await stage.ask('createTopic', { topic, partitions: 1 })
      await until('the new one is empty', async () => (await stage.end(topic).catch(() => -1)) === 0)
      await stage.send(topic, [record('after', 'after')])
      await stage.holds(topic, [record('after', 'after')])
      await stage.refused(stage.ask('deleteTopic', { topic: stage.name('never') }), 'UNKNOWN_TOPIC_OR_PARTITION')
    },
  ),

  'topic.recreated-under-client': scenario(
    'a topic is deleted and created again while a producer and a consumer are attached; both go on with the new one',
    async (stage) => {
      stage.needs('deleteTopic', { attached: true })
      const topic = await stage.topic('recreated')
      const producer = await stage.producer()
      const group = stage.name('recreated-group')
      const member = await stage.member(group, { topics: [topic] })
      await stage.produce(producer, topic, text(5, 'old'))
      await member.until('the old records came', () => member.seen.length >= 5)
      await stage.ask('deleteTopic', { topic })
      await stage.ask('createTopic', { topic, partitions: 1 }).catch((problem: unknown) => {
        // The producer that asks about its topic has been quicker.
        if (!(problem instanceof Refused && problem.error === 'TOPIC_ALREADY_EXISTS')) throw problem
      })
      await until('the producer goes on', async () => {
        await member.poll()
        return stage.produce(producer, topic, [record('new', 'new')]).then(
          () => true,
          () => false, // it still asks for the old one
        )
      })
      await member.until('the member goes on', () => member.values.includes('new'))
      const read = await stage.read(topic, 1)
      stage.same(shown([read[0]!.record]), shown([record('new', 'new')]), 'nothing of the old one is left')
    },
  ),
}
