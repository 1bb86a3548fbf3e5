// StreamsGroupTopologyDescriptionUpdate, key 93: versions 0, flexible from 0.

import { api, array, int8, int16, int32, string, struct } from '../schema.ts'

const topologyDescriptionNode = {
  name: string(),
  nodeType: int8(),
  sourceTopics: array(string()),
  sinkTopic: string('0+', { nullable: '0+', default: null }),
  stores: array(string()),
  successors: array(string()),
} as const

const topologyDescriptionGlobalStore = {
  source: struct(topologyDescriptionNode),
  processor: struct(topologyDescriptionNode),
} as const

const topologyDescriptionSubtopology = {
  subtopologyId: string(),
  nodes: array(topologyDescriptionNode),
} as const

const topologyDescription = {
  subtopologies: array(topologyDescriptionSubtopology),
  globalStores: array(topologyDescriptionGlobalStore),
} as const

export const streamsGroupTopologyDescriptionUpdate = api(
  93,
  'StreamsGroupTopologyDescriptionUpdate',
  '0',
  '0+',
  {
    groupId: string(),
    memberId: string(),
    topologyEpoch: int32(),
    topologyDescription: struct(topologyDescription),
  },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16(),
    errorMessage: string('0+', { nullable: '0+', default: null }),
  },
)
