// Where we answer differently from Kafka and mean to. Each line has its reason; what is not here is a mistake of ours.

import type { Difference } from './compare.ts'

export type Accepted = { why: string; matches: (difference: Difference) => boolean }

const silent = (said: string): boolean => said === 'null' || said === '""'
const isSaid = (...said: string[]): boolean => said.includes('"<a sentence>"')

export const accepted: readonly Accepted[] = [
  {
    why: 'Kafka meets an exception of its own (UNKNOWN_SERVER_ERROR, or no answer at all); we name the mistake or go on',
    matches: ({ failed }) => failed,
  },
  {
    why: 'whether there is a sentence beside the code is for each to say, and we say more often why',
    matches: ({ path, theirs, ours }) =>
      /[mM]essage$/.test(path) && [theirs, ours].some(silent) && isSaid(theirs, ours),
  },
  {
    why: 'Kafka answers in the order of its hash maps, or shuffled; we in the order of the request',
    matches: ({ api, path }) => path.endsWith('(order)') && api !== 'Fetch' && api !== 'DescribeTopicPartitions',
  },
  {
    why: 'topics that may not be seen are told behind the others in the order of the request; Kafka goes by a hash set',
    matches: ({ api, path, label }) =>
      api === 'DescribeTopicPartitions' && path.endsWith('(order)') && label.endsWith(': names'),
  },
  {
    why: 'what is named twice for reading or writing is done twice and answered twice; Kafka takes the last one, or refuses',
    matches: ({ api, label }) =>
      ['Produce', 'Fetch', 'ListOffsets', 'DeleteRecords'].includes(api) && /\btwice\b/.test(label),
  },
  {
    why: 'a topic named without partitions is answered without partitions; Kafka leaves it out',
    matches: ({ theirs, ours }) =>
      theirs === 'nothing' &&
      /"(partitions|partitionResponses|resultsByPartition|topics)":\[(\{"name":"[^"]*","partitions":\[\]\})?\]}$/.test(
        ours,
      ),
  },
  {
    why: 'keys that are not served are not advertised',
    matches: ({ api, path, ours }) => api === 'ApiVersions' && path.startsWith('apiKeys[') && ours === 'nothing',
  },
  {
    why: 'a feature is announced once it is served',
    matches: ({ api, path, ours }) =>
      api === 'ApiVersions' &&
      ((/eatures\[(group|share|streams)\.version\]/.test(path) && ours === 'nothing') ||
        path.endsWith('eatures (order)')),
  },
  {
    why: 'share groups are served at level 1: records that nobody takes have no topic of their own (KIP-1191)',
    matches: ({ api, path }) => api === 'ApiVersions' && path.includes('eatures[share.version]'),
  },
  {
    why: 'a regular expression is resolved in the heartbeat that brings it; Kafka does so later, in an epoch of its own',
    matches: ({ api, path, label }) => api === 'ConsumerGroupHeartbeat' && path === 'memberEpoch' && /^«/.test(label),
  },
  {
    why: 'the metadata log is our own, with other records in it; the controller is reached where the broker is',
    matches: ({ api, path }) =>
      api === 'DescribeQuorum' &&
      /(highWatermark|logEndOffset|leaderEpoch|listeners\[(CONTROLLER|PLAINTEXT)\])$/.test(path),
  },
  {
    why: 'a topic that is made because it was asked for is there when we answer; Kafka sends the client round once more',
    matches: ({ api, label, path }) => api === 'Metadata' && /to be made|again/.test(label) && /topics/.test(path),
  },
  {
    why: 'a name that cannot be made because it collides is refused; Kafka lets the client ask for ever',
    matches: ({ api, label }) => api === 'Metadata' && label === 'a name that collides',
  },
  {
    why: 'a topic that would be made has no id; Kafka gives one that nobody ever bears',
    matches: ({ api, label, path }) =>
      api === 'CreateTopics' && /\bwould\b|^and one more/.test(label) && path.endsWith('topicId'),
  },
  {
    why: 'topics are made at once, whatever time is given; Kafka answers that the time is up',
    matches: ({ api, label }) => api === 'CreateTopics' && label === 'no time',
  },
  {
    why: 'numbers are shown without the spaces around them',
    matches: ({ label, theirs }) => /a padded value$/.test(label) && theirs === '" 77 "',
  },
  {
    why: 'every option of the broker has a default among its synonyms',
    matches: ({ path, label }) => /synonyms/.test(path) && label === 'some of a broker',
  },
  {
    why: 'a share group’s partitions are remembered before its first member is answered: it has them one epoch sooner',
    matches: ({ api, path }) => /^ShareGroup(Heartbeat|Describe)$/.test(api) && /Epoch$|<new id>\]$/.test(path),
  },
  {
    why: 'partitions of a transaction are told in the order in which they joined it; Kafka goes by its hash sets',
    matches: ({ api, path }) => api === 'DescribeTransactions' && /topics\[[\w-]+\]\.partitions\.\d+$/.test(path),
  },
  {
    why: 'each offset is asked whose transaction it is part of; Kafka does not ask where the producer has one open already',
    matches: ({ api, label }) => api === 'TxnOffsetCommit' && /^commit as (nobody|somebody unknown)$/.test(label),
  },
  {
    why: 'a batch followed by a piece of another is refused; Kafka takes the first and cuts the rest off',
    matches: ({ api, label }) => api === 'Produce' && label === 'a batch and a piece',
  },
  {
    why: 'a batch that says it has the broker’s time is refused; Kafka takes the word out, or refuses record by record',
    matches: ({ api, label }) => api === 'Produce' && label.startsWith('log-append time from a client'),
  },
  {
    why: 'what was refused for its time is not in the log that the next batch goes into',
    matches: ({ api, label, path }) =>
      api === 'Produce' && label === 'a transactional id' && path.endsWith('baseOffset'),
  },
  {
    why: 'a refusal tells where the log starts even if the bytes were no batch; Kafka looks at them before it finds the log',
    matches: ({ api, path, theirs, ours }) =>
      api === 'Produce' && path.endsWith('logStartOffset') && theirs === '-1' && ours === '0',
  },
  {
    why: 'a duplicate in a topic with create time is answered like the first one, without a time of the broker',
    matches: ({ api, path, theirs, ours }) =>
      api === 'Produce' && path.endsWith('logAppendTimeMs') && theirs !== '"<now>"' && ours === '-1',
  },
  {
    why: 'nobody replicates from this broker: it serves whoever asks as a consumer; Kafka says that it does not follow',
    matches: ({ api, label }) => api === 'Fetch' && /^replica [017]$/.test(label),
  },
  {
    why: 'in a session too a topic that is gone is UNKNOWN_TOPIC_ID; Kafka remembers its name and says so by that',
    matches: ({ api, label, ours, version }) =>
      (api === 'Fetch' && version >= 13 && /^it (went|came back)/.test(label) && (ours === '100' || ours === '[]')) ||
      (api === 'ShareFetch' && label === 'its topic is gone' && ours === '100'),
  },
  {
    why: 'records without a time have no largest one; Kafka names the first of them',
    matches: ({ api, label }) => api === 'ListOffsets' && label === 'lo-none at -3',
  },
  {
    why: 'where the record with the largest time is deleted we name the largest left; Kafka names the deleted one still',
    matches: ({ api, label }) =>
      api === 'ListOffsets' && /^lo-cut at -3$|^all deleted, one open: .* at -3$/.test(label),
  },
  {
    why: 'the broker’s own topics are not there for clients even before they are made',
    matches: ({ api, label }) => api === 'Produce' && label === 'an internal topic',
  },
  {
    why: 'of records that failed again and again a batch of the log is halved; Kafka halves what one fetch had taken',
    matches: ({ api, label }) =>
      /^(ShareFetch|DescribeShareGroupOffsets)$/.test(api) && /round \d+, mode|^how far: sd-(b|s)/.test(label),
  },
  {
    why: 'markers of transactions are passed over and done; Kafka hands them to members, who say that there is nothing',
    matches: ({ api, label }) =>
      /^(ShareFetch|DescribeShareGroupOffsets)$/.test(api) && /^(how far: )?read_(un)?committed/.test(label),
  },
  {
    why: 'a share group waits for nobody between two assignments until it is told to (docs: group.share.assignment.interval.ms)',
    matches: ({ api, path }) =>
      api === 'DescribeConfigs' && /configs\[(consumer|share)\.assignment\.interval\.ms\]/.test(path),
  },
  {
    why: 'a broker that is alone begins no leader epoch by a restart; Kafka begins two',
    matches: ({ label, path }) =>
      /^(end offset )?restarted/.test(label) && /((leader|coordinator|assignment)Epoch|\.epoch)$/i.test(path),
  },
  {
    why: 'what has no aborted transactions because it is gone says so as before it waited; Kafka leaves the list away then',
    matches: ({ api, label, path }) =>
      api === 'Fetch' && /^waits, v/.test(label) && path.endsWith('abortedTransactions'),
  },
]
