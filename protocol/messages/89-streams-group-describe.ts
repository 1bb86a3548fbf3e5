// StreamsGroupDescribe, key 89: versions 0-1, flexible from 0.
//   v1: request +includeTopologyDescription; answer +topologyDescription +topologyDescriptionStatus +assignorName

import { api, array, bool, int8, int16, int32, int64, string, struct, uint16 } from '../schema.ts'

const taskIds = {
  subtopologyId: string(),
  partitions: array(int32()),
} as const

const assignment = {
  activeTasks: array(taskIds),
  standbyTasks: array(taskIds),
  warmupTasks: array(taskIds),
} as const

const endpoint = {
  host: string(),
  port: uint16(),
} as const

const keyValue = {
  key: string(),
  value: string(),
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

const topologyDescriptionNode = {
  name: string('1+'),
  nodeType: int8('1+'),
  sourceTopics: array(string(), '1+'),
  sinkTopic: string('1+', { nullable: '1+', default: null }),
  stores: array(string(), '1+'),
  successors: array(string(), '1+'),
} as const

const topologyDescriptionGlobalStore = {
  source: struct(topologyDescriptionNode, '1+'),
  processor: struct(topologyDescriptionNode, '1+'),
} as const

const topologyDescriptionSubtopology = {
  subtopologyId: string('1+'),
  nodes: array(topologyDescriptionNode, '1+'),
} as const

const topologyDescription = {
  subtopologies: array(topologyDescriptionSubtopology, '1+'),
  globalStores: array(topologyDescriptionGlobalStore, '1+'),
} as const

export const streamsGroupDescribe = api(
  89,
  'StreamsGroupDescribe',
  '0-1',
  '0+',
  {
    groupIds: array(string()),
    includeAuthorizedOperations: bool(),
    includeTopologyDescription: bool('1+'),
  },
  {
    throttleTimeMs: int32('0+'),
    groups: array({
      errorCode: int16(),
      errorMessage: string('0+', { nullable: '0+', default: null }),
      groupId: string(),
      groupState: string(),
      groupEpoch: int32(),
      assignmentEpoch: int32(),
      topology: struct(
        {
          epoch: int32(),
          subtopologies: array(
            {
              subtopologyId: string(),
              sourceTopics: array(string()),
              repartitionSinkTopics: array(string()),
              stateChangelogTopics: array(topicInfo),
              repartitionSourceTopics: array(topicInfo),
            },
            '0+',
            { nullable: '0+', default: null },
          ),
        },
        '0+',
        { nullable: '0+', default: null },
      ),
      members: array({
        memberId: string(),
        memberEpoch: int32(),
        instanceId: string('0+', { nullable: '0+', default: null }),
        rackId: string('0+', { nullable: '0+', default: null }),
        clientId: string(),
        clientHost: string(),
        topologyEpoch: int32(),
        processId: string(),
        userEndpoint: struct(endpoint, '0+', { nullable: '0+', default: null }),
        clientTags: array(keyValue),
        taskOffsets: array(taskOffset),
        taskEndOffsets: array(taskOffset),
        assignment: struct(assignment),
        targetAssignment: struct(assignment),
        isClassic: bool(),
      }),
      authorizedOperations: int32('0+', { default: -2147483648 }),
      topologyDescription: struct(topologyDescription, '1+', { nullable: '1+', default: null }),
      topologyDescriptionStatus: int8('1+'),
      assignorName: string('1+', { nullable: '1+', default: null }),
    }),
  },
)
