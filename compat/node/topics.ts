// Topics and their configs through KafkaJS's admin client.
import kafkajs from 'kafkajs'
import { until } from '../process.ts'
import { fresh, record, shown, text } from '../records.ts'
import type { Parts } from '../scenarios.ts'
import { type Client, refusal } from './client.ts'

const { ConfigResourceTypes } = kafkajs

export function topicParts(client: Client) {
  const { admin } = client

  async function configOf(topic: string, name: string) {
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configNames: [name] }],
    })
    return resources[0]?.configEntries.find(({ configName }) => configName === name)
  }

  async function alter(topic: string, configEntries: { name: string; value: string }[]) {
    await admin.alterConfigs({
      validateOnly: false,
      resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configEntries }],
    })
  }

  async function partitionCount(topic: string): Promise<number> {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
    return topics[0]!.partitions.length
  }

  return {
    'topic.create': async (t) => {
      const topic = await client.createTopic('create', 3, { 'retention.ms': '3600000' })
      t.ok((await admin.listTopics()).includes(topic), 'the topic is listed')
      const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
      const partitions = topics[0]!.partitions.toSorted((a, b) => a.partitionId - b.partitionId)
      t.same(
        partitions.map(({ partitionId }) => partitionId),
        [0, 1, 2],
      )
      t.ok(
        partitions.every(({ leader, replicas, isr }) => replicas.includes(leader) && isr.includes(leader)),
        'leaders are replicas',
      )
      const { brokers, controller } = await admin.describeCluster()
      t.ok(
        brokers.some(({ nodeId }) => nodeId === partitions[0]!.leader),
        'the leader is one of the brokers',
      )
      t.ok(
        brokers.some(({ nodeId }) => nodeId === controller),
        'so is the controller',
      )
      t.equal((await configOf(topic, 'retention.ms'))?.configValue, '3600000')
    },

    'topic.exists': async (t) => {
      const topic = await client.createTopic('exists', 2)
      t.equal(
        await admin.createTopics({ topics: [{ topic, numPartitions: 5 }] }),
        false,
        'KafkaJS says false for error 36',
      )
      t.equal(await partitionCount(topic), 2, 'the first one stays as it was')
      const invalid = admin.createTopics({ topics: [{ topic: 'a/b', numPartitions: 1 }] })
      t.match(await refusal(invalid), { errors: [{ type: 'INVALID_TOPIC_EXCEPTION' }] })
    },

    'topic.auto': async (t) => {
      const topic = fresh('kafkajs-auto')
      const sent = text(3, 'auto')
      await client.send(topic, sent)
      t.same(shown(await client.read(topic, 3)), shown(sent))
    },

    'topic.grow': async (t) => {
      const topic = await client.createTopic('grow', 1)
      await admin.createPartitions({ topicPartitions: [{ topic, count: 4 }] })
      await until('the new partitions are in the metadata', async () => (await partitionCount(topic)) === 4)
      const sent = text(5, 'grow')
      await client.send(topic, sent, { partition: 3 })
      t.same(shown(await client.read(topic, 5)), shown(sent))
      t.equal(await client.endOffset(topic, 3), 5)
      const shrink = admin.createPartitions({ topicPartitions: [{ topic, count: 2 }] })
      t.match(await refusal(shrink), { type: 'INVALID_PARTITIONS' }, 'partitions never become fewer')
    },

    'topic.config': async (t) => {
      const topic = await client.createTopic('config')
      const name = 'max.message.bytes'
      t.match(
        await configOf(topic, name),
        { configValue: '1048588', configSource: 5, readOnly: false },
        'Kafka’s default',
      )
      await alter(topic, [{ name, value: '20000' }])
      await until('the change is seen', async () => (await configOf(topic, name))?.configValue === '20000')
      t.match(await configOf(topic, name), { configValue: '20000', configSource: 1 }, 'set on the topic')
      await alter(topic, []) // the old AlterConfigs replaces everything
      await until('the change is undone', async () => (await configOf(topic, name))?.configValue === '1048588')
      t.match(await configOf(topic, name), { configSource: 5 }, 'the default again')
      t.match(
        await refusal(alter(topic, [{ name, value: 'many' }])),
        { type: 'INVALID_CONFIG' },
        'a value of the wrong type',
      )
    },

    'topic.delete': async (t) => {
      const topic = await client.createTopic('delete')
      await client.send(topic, text(5, 'before'))
      await admin.deleteTopics({ topics: [topic] })
      await until('the topic is gone', async () => !(await admin.listTopics()).includes(topic))
      await admin.createTopics({ topics: [{ topic, numPartitions: 1 }] })
      t.equal(await client.endOffset(topic), 0, 'the new one is empty')
      await client.send(topic, [record('after', 'after')])
      t.same(shown(await client.read(topic, 1)), shown([record('after', 'after')]))
      const never = admin.deleteTopics({ topics: [fresh('never')] })
      t.match(await refusal(never), { cause: { type: 'UNKNOWN_TOPIC_OR_PARTITION' } }, 'after a few attempts')
    },

    'records.delete': async (t) => {
      const topic = await client.createTopic('delete-records')
      const sent = text(20, 'delete')
      await client.send(topic, sent.slice(0, 10))
      await client.send(topic, sent.slice(10))
      t.equal(await client.endOffset(topic), 20) // and KafkaJS deletes records only from topics it has heard of
      await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '13' }] }) // in the middle of a batch
      t.equal(await client.startOffset(topic), 13)
      t.equal(await client.endOffset(topic), 20)
      t.same(shown(await client.read(topic, 7)), shown(sent.slice(13)))
      await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '-1' }] })
      t.equal(await client.startOffset(topic), 20, '-1 is the high watermark')
      const beyond = admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '21' }] })
      t.match(
        await refusal(beyond),
        { cause: { partitions: [{ error: { type: 'OFFSET_OUT_OF_RANGE' } }] } },
        'beyond the end',
      )
    },
  } satisfies Partial<Parts>
}
