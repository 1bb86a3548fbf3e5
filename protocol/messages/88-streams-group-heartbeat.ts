// StreamsGroupHeartbeat, key 88: versions 0-1, flexible from 0.
//   v1: answer -acceptableRecoveryLagLegacy +acceptableRecoveryLag +topologyDescriptionRequired

import { api, array, bool, int8, int16, int32, int64, string, struct, uint16 } from '../schema.ts'

const endpoint = {
  host: string(),
  port: uint16(),
} as const

const keyValue = {
  key: string(),
  value: string(),
} as const

const taskIds = {
  subtopologyId: string(),
  partitions: array(int32()),
} as const

const taskOffset = {
  subtopologyId: string(),
  partition: int32(),
  offset: int64(),
} as const

const topicInfo = {
  name: string(),
  partitions: int32(),
  replicationFactor: int16(),
  topicConfigs: array(keyValue),
} as const

const status = {
  statusCode: int8(),
  statusDetail: string(),
} as const

const topicPartition = {
  topic: string(),
  partitions: array(int32()),
} as const

export const streamsGroupHeartbeat = api(
  88,
  'StreamsGroupHeartbeat',
  '0-1',
  '0+',
  {
    groupId: string(),
    memberId: string(),
    memberEpoch: int32(),
    endpointInformationEpoch: int32(),
    instanceId: string('0+', { nullable: '0+', default: null }),
    rackId: string('0+', { nullable: '0+', default: null }),
    rebalanceTimeoutMs: int32('0+', { default: -1 }),
    topology: struct(
      {
        epoch: int32(),
        subtopologies: array({
          subtopologyId: string(),
          sourceTopics: array(string()),
          sourceTopicRegex: array(string()),
          stateChangelogTopics: array(topicInfo),
          repartitionSinkTopics: array(string()),
          repartitionSourceTopics: array(topicInfo),
          copartitionGroups: array({
            sourceTopics: array(int16()),
            sourceTopicRegex: array(int16()),
            repartitionSourceTopics: array(int16()),
          }),
        }),
      },
      '0+',
      { nullable: '0+', default: null },
    ),
    activeTasks: array(taskIds, '0+', { nullable: '0+', default: null }),
    standbyTasks: array(taskIds, '0+', { nullable: '0+', default: null }),
    warmupTasks: array(taskIds, '0+', { nullable: '0+', default: null }),
    processId: string('0+', { nullable: '0+', default: null }),
    userEndpoint: struct(endpoint, '0+', { nullable: '0+', default: null }),
    clientTags: array(keyValue, '0+', { nullable: '0+', default: null }),
    taskOffsets: array(taskOffset, '0+', { nullable: '0+', default: null }),
    taskEndOffsets: array(taskOffset, '0+', { nullable: '0+', default: null }),
    shutdownApplication: bool(),
  },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16(),
    errorMessage: string('0+', { nullable: '0+', default: null }),
    memberId: string(),
    memberEpoch: int32(),
    heartbeatIntervalMs: int32(),
    acceptableRecoveryLagLegacy: int32('0'),
    taskOffsetIntervalMs: int32(),
    acceptableRecoveryLag: int64('1+', { default: -1 }),
    status: array(status, '0+', { nullable: '0+' }),
    activeTasks: array(taskIds, '0+', { nullable: '0+', default: null }),
    standbyTasks: array(taskIds, '0+', { nullable: '0+', default: null }),
    warmupTasks: array(taskIds, '0+', { nullable: '0+', default: null }),
    topologyDescriptionRequired: bool('1+'),
    endpointInformationEpoch: int32(),
    partitionsByUserEndpoint: array(
      {
        userEndpoint: struct(endpoint),
        activePartitions: array(topicPartition),
        standbyPartitions: array(topicPartition),
      },
      '0+',
      { nullable: '0+', default: null },
    ),
  },
)
