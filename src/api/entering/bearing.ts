// Which fields of which requests and answers bear names that are others within a branch set: the one list of them. A test
// walks all message tables for fields that look like names and fails where one is not told of here.

/** What a field bears. */
export type Leaf =
  /** The name of a topic. */
  | 'topic'
  /** A group, a transactional id, or the key of a share partition, which begins with its group. */
  | 'id'
  /** A sentence that may repeat names. */
  | 'words'
  /** A regular expression over transactional ids. */
  | 'pattern'
  /** A name that means the same everywhere, or that rooms below know by its name inside: it passes as it is. */
  | 'kept'

export type Shape = Leaf | Fields | Chosen | Listed
export type Fields = { readonly [field: string]: Shape }
/** The field `by` beside it says what it is. */
export type Chosen = { readonly by: string; readonly cases: Readonly<Record<string, Leaf>> }
/** Elements of other lives are left out. */
export type Listed = { readonly listed: Fields }

export type Bearing = { readonly asks: Fields; readonly tells: Fields }

const topics = { name: 'topic' } as const
const partitions = { errorMessage: 'words' } as const
/** Kafka's ConfigResource: 2 topic, 32 group. */
const resource: Chosen = { by: 'resourceType', cases: { 2: 'topic', 32: 'id' } }
/** Of all configurations only these have a topic for their value. */
const configs = {
  name: 'kept',
  value: { by: 'name', cases: { 'branch.from': 'topic', 'view.of': 'topic' } },
} as const
const told = { ...configs, synonyms: configs } as const
const none: Fields = {}
/** What the coordinator of a group knows, it knows by the names that members use: it sees the topics as they do. */
const subscription = { subscribedTopicNames: 'kept', subscribedTopicRegex: 'kept' } as const
const assigned = { topicPartitions: { topicName: 'topic' } } as const
const joined = { ...subscription, assignment: assigned, targetAssignment: assigned } as const

/** By API key; an API that is missing bears no names. */
export const bearings: Readonly<Record<number, Bearing>> = {
  0: {
    asks: { transactionalId: 'id', topicData: topics },
    tells: {
      responses: {
        name: 'topic',
        partitionResponses: { errorMessage: 'words', recordErrors: { batchIndexErrorMessage: 'words' } },
      },
    },
  },
  1: {
    asks: { topics: { topic: 'topic' }, forgottenTopicsData: { topic: 'topic' } },
    tells: { responses: { topic: 'topic' } },
  },
  2: { asks: { topics }, tells: { topics } },
  3: { asks: { topics }, tells: { topics } },
  8: { asks: { groupId: 'id', topics }, tells: { topics } },
  9: {
    asks: { groupId: 'id', topics, groups: { groupId: 'id', topics } },
    tells: { topics, groups: { groupId: 'id', topics } },
  },
  10: {
    asks: { key: 'id', coordinatorKeys: 'id' },
    tells: { errorMessage: 'words', coordinators: { key: 'id', errorMessage: 'words' } },
  },
  11: { asks: { groupId: 'id', protocols: { name: 'kept' } }, tells: none },
  12: { asks: { groupId: 'id' }, tells: none },
  13: { asks: { groupId: 'id' }, tells: none },
  14: { asks: { groupId: 'id' }, tells: none },
  15: { asks: { groups: 'id' }, tells: { groups: { groupId: 'id', errorMessage: 'words' } } },
  16: { asks: none, tells: { groups: { listed: { groupId: 'id' } } } },
  19: {
    asks: { topics: { name: 'topic', configs } },
    tells: { topics: { name: 'topic', errorMessage: 'words', configs } },
  },
  20: {
    asks: { topics, topicNames: 'topic' },
    tells: { responses: { name: 'topic', errorMessage: 'words' } },
  },
  21: { asks: { topics }, tells: { topics } },
  22: { asks: { transactionalId: 'id' }, tells: none },
  23: { asks: { topics: { topic: 'topic' } }, tells: { topics: { topic: 'topic' } } },
  24: {
    asks: {
      transactions: { transactionalId: 'id', topics },
      v3AndBelowTransactionalId: 'id',
      v3AndBelowTopics: topics,
    },
    tells: {
      resultsByTransaction: { transactionalId: 'id', topicResults: topics },
      resultsByTopicV3AndBelow: topics,
    },
  },
  25: { asks: { transactionalId: 'id', groupId: 'id' }, tells: none },
  26: { asks: { transactionalId: 'id' }, tells: none },
  27: { asks: { markers: { topics } }, tells: { markers: { topics } } },
  28: { asks: { transactionalId: 'id', groupId: 'id', topics }, tells: { topics } },
  // Rights are on stored names: what somebody may do is the same through every door.
  29: { asks: { resourceNameFilter: 'kept' }, tells: { errorMessage: 'words', resources: { resourceName: 'kept' } } },
  30: { asks: { creations: { resourceName: 'kept' } }, tells: { results: { errorMessage: 'words' } } },
  31: {
    asks: { filters: { resourceNameFilter: 'kept' } },
    tells: {
      filterResults: {
        errorMessage: 'words',
        matchingAcls: { errorMessage: 'words', resourceName: 'kept' },
      },
    },
  },
  32: {
    asks: { resources: { resourceName: resource, configurationKeys: 'kept' } },
    tells: { results: { errorMessage: 'words', resourceName: resource, configs: told } },
  },
  33: {
    asks: { resources: { resourceName: resource, configs: { name: 'kept' } } },
    tells: { responses: { errorMessage: 'words', resourceName: resource } },
  },
  34: { asks: { dirs: { topics } }, tells: { results: { topicName: 'topic' } } },
  35: { asks: { topics: { topic: 'topic' } }, tells: { results: { topics } } },
  37: { asks: { topics }, tells: { results: { name: 'topic', errorMessage: 'words' } } },
  42: { asks: { groupsNames: 'id' }, tells: { results: { groupId: 'id', errorMessage: 'words' } } },
  43: {
    asks: { topicPartitions: { topic: 'topic' } },
    tells: { replicaElectionResults: { topic: 'topic', partitionResult: partitions } },
  },
  44: {
    asks: { resources: { resourceName: resource, configs: { name: 'kept' } } },
    tells: { responses: { errorMessage: 'words', resourceName: resource } },
  },
  45: { asks: { topics }, tells: { errorMessage: 'words', responses: { name: 'topic', partitions } } },
  46: { asks: { topics }, tells: { errorMessage: 'words', topics } },
  47: { asks: { groupId: 'id', topics }, tells: { topics } },
  // The log that nodes vote about is the cluster's.
  55: {
    asks: { topics: { topicName: 'kept' } },
    tells: {
      errorMessage: 'words',
      topics: { topicName: 'kept', partitions },
      nodes: { listeners: { name: 'kept' } },
    },
  },
  61: { asks: { topics }, tells: { topics: { name: 'topic', partitions } } },
  65: {
    asks: { transactionalIds: 'id' },
    tells: { transactionStates: { transactionalId: 'id', topics: { topic: 'topic' } } },
  },
  66: {
    asks: { transactionalIdPattern: 'pattern' },
    tells: { transactionStates: { listed: { transactionalId: 'id' } } },
  },
  68: { asks: { groupId: 'id', ...subscription }, tells: { errorMessage: 'words' } },
  69: {
    asks: { groupIds: 'id' },
    tells: { groups: { groupId: 'id', errorMessage: 'words', members: joined } },
  },
  74: { asks: none, tells: { configResources: { listed: { resourceName: resource } } } },
  75: {
    asks: { topics, cursor: { topicName: 'topic' } },
    tells: { topics, nextCursor: { topicName: 'topic' } },
  },
  76: { asks: { groupId: 'id', subscribedTopicNames: 'kept' }, tells: { errorMessage: 'words' } },
  77: {
    asks: { groupIds: 'id' },
    tells: {
      groups: {
        groupId: 'id',
        errorMessage: 'words',
        members: { subscribedTopicNames: 'kept', assignment: assigned },
      },
    },
  },
  78: {
    asks: { groupId: 'id' },
    tells: {
      errorMessage: 'words',
      responses: { partitions: { errorMessage: 'words', acknowledgeErrorMessage: 'words' } },
    },
  },
  79: { asks: { groupId: 'id' }, tells: { errorMessage: 'words', responses: { partitions } } },
  90: {
    asks: { groups: { groupId: 'id', topics: { topicName: 'topic' } } },
    tells: {
      groups: { groupId: 'id', errorMessage: 'words', topics: { topicName: 'topic', partitions } },
    },
  },
  91: {
    asks: { groupId: 'id', topics: { topicName: 'topic' } },
    tells: { errorMessage: 'words', responses: { topicName: 'topic', partitions } },
  },
  92: {
    asks: { groupId: 'id', topics: { topicName: 'topic' } },
    tells: { errorMessage: 'words', responses: { topicName: 'topic', errorMessage: 'words' } },
  },
}
