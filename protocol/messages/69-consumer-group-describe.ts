// ConsumerGroupDescribe, key 69: versions 0-1, flexible from 0.
//   v1: answer +memberType

import { api, array, bool, int8, int16, int32, string, struct, uuid } from '../schema.ts'

const topicPartitions = {
  topicId: uuid(),
  topicName: string(),
  partitions: array(int32()),
} as const

const assignment = {
  topicPartitions: array(topicPartitions),
} as const

export const consumerGroupDescribe = api(
  69,
  'ConsumerGroupDescribe',
  '0-1',
  '0+',
  {
    groupIds: array(string()),
    includeAuthorizedOperations: bool(),
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
      assignorName: string(),
      members: array({
        memberId: string(),
        instanceId: string('0+', { nullable: '0+', default: null }),
        rackId: string('0+', { nullable: '0+', default: null }),
        memberEpoch: int32(),
        clientId: string(),
        clientHost: string(),
        subscribedTopicNames: array(string()),
        subscribedTopicRegex: string('0+', { nullable: '0+', default: null }),
        assignment: struct(assignment),
        targetAssignment: struct(assignment),
        memberType: int8('1+', { default: -1 }),
      }),
      authorizedOperations: int32('0+', { default: -2147483648 }),
    }),
  },
)
