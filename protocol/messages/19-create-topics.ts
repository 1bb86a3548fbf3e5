// CreateTopics, key 19: versions 2-7, flexible from 5.
//   v5: answer +topicConfigErrorCode +numPartitions +replicationFactor +configs
//   v7: answer +topicId

import { api, array, bool, int8, int16, int32, string, uuid } from '../schema.ts'

export const createTopics = api(
  19,
  'CreateTopics',
  '2-7',
  '5+',
  {
    topics: array({
      name: string(),
      numPartitions: int32(),
      replicationFactor: int16(),
      assignments: array({
        partitionIndex: int32(),
        brokerIds: array(int32()),
      }),
      configs: array({
        name: string(),
        value: string('0+', { nullable: '0+' }),
      }),
    }),
    timeoutMs: int32('0+', { default: 60000 }),
    validateOnly: bool(),
  },
  {
    throttleTimeMs: int32('0+'),
    topics: array({
      name: string(),
      topicId: uuid('7+'),
      errorCode: int16(),
      errorMessage: string('0+', { nullable: '0+' }),
      topicConfigErrorCode: int16('5+', { tag: 0, tagged: '5+' }),
      numPartitions: int32('5+', { default: -1 }),
      replicationFactor: int16('5+', { default: -1 }),
      configs: array(
        {
          name: string('5+'),
          value: string('5+', { nullable: '5+' }),
          readOnly: bool('5+'),
          configSource: int8('5+', { default: -1 }),
          isSensitive: bool('5+'),
        },
        '5+',
        { nullable: '5+' },
      ),
    }),
  },
)
