// AddPartitionsToTxn, key 24: versions 0-5, flexible from 3.
//   v4: request +transactions -v3AndBelowTransactionalId -v3AndBelowProducerId -v3AndBelowProducerEpoch -v3AndBelowTopics; answer +errorCode +resultsByTransaction -resultsByTopicV3AndBelow

import { api, array, bool, int16, int32, int64, string } from '../schema.ts'

const addPartitionsToTxnTopic = {
  name: string(),
  partitions: array(int32()),
} as const

const addPartitionsToTxnPartitionResult = {
  partitionIndex: int32(),
  partitionErrorCode: int16(),
} as const

const addPartitionsToTxnTopicResult = {
  name: string(),
  resultsByPartition: array(addPartitionsToTxnPartitionResult),
} as const

export const addPartitionsToTxn = api(
  24,
  'AddPartitionsToTxn',
  '0-5',
  '3+',
  {
    transactions: array(
      {
        transactionalId: string('4+'),
        producerId: int64('4+'),
        producerEpoch: int16('4+'),
        verifyOnly: bool('4+'),
        topics: array(addPartitionsToTxnTopic, '4+'),
      },
      '4+',
    ),
    v3AndBelowTransactionalId: string('0-3'),
    v3AndBelowProducerId: int64('0-3'),
    v3AndBelowProducerEpoch: int16('0-3'),
    v3AndBelowTopics: array(addPartitionsToTxnTopic, '0-3'),
  },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16('4+'),
    resultsByTransaction: array(
      {
        transactionalId: string('4+'),
        topicResults: array(addPartitionsToTxnTopicResult, '4+'),
      },
      '4+',
    ),
    resultsByTopicV3AndBelow: array(addPartitionsToTxnTopicResult, '0-3'),
  },
)
