// `__share_group_state`, where share groups are remembered: as Kafka makes it, not compacted but cut by its writer.

import type { Broker } from '../broker/broker.ts'
import { InternalTopic } from '../broker/internal-topic.ts'

const name = '__share_group_state'

export function stateTopic(broker: Broker): InternalTopic {
  const { config } = broker
  return new InternalTopic(broker, {
    name,
    // A share partition lies where the topic's partitions put it, whatever the option says today.
    partitions: broker.topic(name)?.partitions.length ?? config.number('share.coordinator.state.topic.num.partitions'),
    configs: {
      'cleanup.policy': 'delete',
      'compression.type': 'producer',
      'min.insync.replicas': String(config.number('share.coordinator.state.topic.min.isr')),
      'retention.ms': '-1',
      'segment.bytes': String(config.number('share.coordinator.state.topic.segment.bytes')),
    },
  })
}
