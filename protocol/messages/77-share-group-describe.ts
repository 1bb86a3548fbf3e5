// ShareGroupDescribe, key 77: versions 1, flexible from 0.

import { api, array, bool, int16, int32, string, struct, uuid } from '../schema.ts'

const topicPartitions = {
  topicId: uuid(),
  topicName: string(),
  partitions: array(int32()),
} as const

const assignment = {
  topicPartitions: array(topicPartitions),
} as const

export const shareGroupDescribe = api(
  77,
  'ShareGroupDescribe',
  '1',
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
        rackId: string('0+', { nullable: '0+', default: null }),
        memberEpoch: int32(),
        clientId: string(),
        clientHost: string(),
        subscribedTopicNames: array(string()),
        assignment: struct(assignment),
      }),
      authorizedOperations: int32('0+', { default: -2147483648 }),
    }),
  },
)
