// What may differ when a tape is played, with the reason. What differs for whoever asks is in ../differential/accepted.ts.

import type { Accepted } from '../differential/accepted.ts'

export const acceptedOfTapes: readonly Accepted[] = [
  {
    why: 'two brokers are not configured alike: where they are, which files they use, what they were told at the start',
    matches: ({ api, path }) => api === 'DescribeConfigs' && path.startsWith('results[4 '),
  },
  {
    why: 'there is one logger, not one for each Java class',
    matches: ({ api, path }) => api === 'DescribeConfigs' && path.startsWith('results[8 '),
  },
  {
    why: 'a group is assigned at once; Kafka waits a second for more to change',
    matches: ({ api, path }) => api === 'DescribeConfigs' && /assignment\.interval\.ms\]/.test(path),
  },
  {
    why: 'what an option is for stands here in our words',
    matches: ({ api, path }) => api === 'DescribeConfigs' && path.endsWith('.documentation'),
  },
  {
    why: 'a topic that would be made has no id; Kafka gives one that nobody ever bears',
    matches: ({ api, path, label }) =>
      api === 'CreateTopics' && path.endsWith('topicId') && label === 'validateOnly: true',
  },
  {
    why: 'what is named twice is done twice and answered twice; Kafka takes the last one, or refuses',
    matches: ({ label }) => /: one twice$|(partition(s|Index)?|\.index): -?\d+$/.test(label),
  },
  {
    why: 'a topic named without partitions is answered without partitions; Kafka leaves it out',
    matches: ({ label, theirs }) => /: (no partitions|one less)$/.test(label) && theirs === 'nothing',
  },
  {
    why: 'Kafka is still busy with what an earlier request changed in a transaction; ours has done it',
    matches: ({ theirs }) => theirs === '51',
  },
  {
    why: 'nobody replicates from this broker: it serves whoever asks as a consumer; Kafka says that it does not follow',
    matches: ({ api, label }) => api === 'Fetch' && label.startsWith('replicaId: '),
  },
  {
    why: 'acks that do not exist are refused before anything else; Kafka looks at the transaction first',
    matches: ({ api, label, ours }) => api === 'Produce' && label.startsWith('acks: ') && ours === '21',
  },
  {
    why: 'a duplicate in a topic with create time is answered like the first one, without a time of the broker',
    matches: ({ api, path, ours }) => api === 'Produce' && path.endsWith('logAppendTimeMs') && ours === '-1',
  },
  {
    why: 'Produce makes a topic that is missing, as Metadata does; Kafka leaves it to Metadata',
    matches: ({ api, label, ours }) => api === 'Produce' && label.startsWith('topicData.name: ') && ours === '0',
  },
  {
    why: 'what a fetch in a session has to tell depends on what came just then, and on what was told before',
    matches: ({ api, path, theirs, ours }) =>
      /^(Share)?Fetch$/.test(api) &&
      /^responses\[[^\]]*\](\.partitions\[\d+\])?$/.test(path) &&
      [theirs, ours].includes('nothing') &&
      !/"errorCode":[^0]/.test(theirs + ours),
  },
  {
    why: 'Kafka makes a share partition ready behind the back of its first fetch: the tape gives back what it had not got yet',
    matches: ({ api, label, theirs }) =>
      /^Share(Fetch|Acknowledge)$/.test(api) && label.startsWith('tape') && theirs === '121',
  },
  {
    why: 'of two members whose fetches wait the first to be served has the records, between two Kafkas too: the other one’s word is refused',
    matches: ({ api, path, label, theirs, ours }) =>
      api === 'ShareAcknowledge' &&
      label.startsWith('tape') &&
      path.endsWith('.errorCode') &&
      [theirs, ours].every((code) => ['0', '42', '121'].includes(code)),
  },
  {
    why: 'offsets under another transactional id are refused even where the partition has joined: Kafka looks no more then',
    matches: ({ api, label, theirs }) =>
      api === 'TxnOffsetCommit' && label.startsWith('transactionalId: ') && theirs === '0',
  },
  {
    why: 'how many steps a group takes until all have their parts is for each broker to say; what is refused is the same',
    matches: ({ api, path, label }) =>
      api === 'ConsumerGroupHeartbeat' && path === 'memberEpoch' && !label.startsWith('tape'),
  },
  {
    why: 'Kafka matches a pattern in another thread, behind the back of its answer: the group is Assigning until then',
    matches: ({ api, path, theirs, ours }) =>
      api === 'ListGroups' && path.endsWith('.groupState') && theirs === '"Assigning"' && ours === '"Stable"',
  },
  {
    why: 'how much is kept of what was written is for each broker and its cleaner to say',
    matches: ({ api, path }) => api === 'DescribeLogDirs' && path.endsWith('.partitionSize'),
  },
  {
    why: 'a share group’s partitions are remembered before its first member is answered: it has them one heartbeat sooner',
    matches: ({ api, path, theirs }) =>
      /^ShareGroup(Heartbeat|Describe)$/.test(api) &&
      path.includes('ssignment.topicPartitions[') &&
      theirs === 'nothing',
  },
]
