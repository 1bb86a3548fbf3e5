// What a configuration belongs to: a topic or a broker; the other kinds of Kafka are known and answered, not served.

import { Refusal } from '../../protocol/errors.ts'
import type { Topic } from '../broker/topic.ts'
import type { Context } from './api.ts'

/** Codes of ConfigResource. */
export const resourceTypes = { topic: 2, broker: 4, brokerLogger: 8, clientMetrics: 16, group: 32 } as const

export type Resource = { type: 'topic'; topic: Topic } | { type: 'broker'; name: string }

/** Finds a resource; `name` '' stands for all brokers. */
export function findResource(resourceType: number, name: string, { broker }: Context): Resource | Refusal {
  switch (resourceType) {
    case resourceTypes.topic: {
      const badName = broker.checkTopicName(name)
      if (badName !== undefined) return badName
      const topic = broker.topic(name)
      return topic === undefined ? new Refusal('UNKNOWN_TOPIC_OR_PARTITION') : { type: 'topic', topic }
    }
    case resourceTypes.broker: {
      if (name === '') return { type: 'broker', name }
      const isNumber = /^[+-]?\d+$/.test(name)
      if (isNumber && Number(name) === broker.nodeId) return { type: 'broker', name: String(broker.nodeId) }
      const message = isNumber
        ? `Unexpected broker id, expected ${broker.nodeId} or empty string, but received ${name}`
        : `Broker id must be an integer, but it is: ${name}`
      return new Refusal('INVALID_REQUEST', message)
    }
    default:
      return new Refusal('INVALID_REQUEST', `Configurations of resource type ${resourceType} are not served here.`)
  }
}
