// What a simulation plays on: topics of every kind, their broker's settings, and the groups that read them.

import type { BrokerOptions } from '../../src/embedded.ts'
import type { Wanted } from '../crash-lab/making.ts'
import { distilledTopic } from './distiller.ts'
import { root } from './gardener.ts'
import { roots } from './grafter.ts'
import { type Subscribed, sessionMs } from './group-reading.ts'
import { phoenix } from './reborn.ts'
import { timedTopic } from './seeker.ts'
import type { Sharing } from './sharer.ts'
import { sweptTopics } from './sweeper.ts'
import { switchedTopic } from './switcher.ts'

const segmentBytes = '3072'
export const topics: readonly Wanted[] = [
  { name: 'plain', partitions: 1, configs: {} },
  { name: 'idem', partitions: 3, configs: { 'internal.segment.bytes': segmentBytes } },
  {
    name: 'rev',
    partitions: 1,
    configs: { 'revision.diff': 'true', 'internal.segment.bytes': segmentBytes, 'revision.pack.lag.ms': '200' },
  },
  // Nothing may be compacted away before it is looked at.
  {
    name: 'keyed',
    partitions: 2,
    configs: {
      'cleanup.policy': 'compact',
      'min.compaction.lag.ms': '864000000',
      'internal.segment.bytes': segmentBytes,
    },
  },
  { name: 'txn-a', partitions: 2, configs: { 'internal.segment.bytes': segmentBytes } },
  { name: 'txn-b', partitions: 1, configs: {} },
]
export const view = { name: 'rev-history', partitions: -1, configs: { 'view.of': 'rev', 'view.kind': 'history' } }
/** Of those who look after their topics by themselves; no other looks at them. */
export const others: readonly Wanted[] = [
  ...[root, ...roots, phoenix].map((name) => ({
    name,
    partitions: 1,
    configs: { 'internal.segment.bytes': segmentBytes },
  })),
  ...sweptTopics,
  timedTopic,
  distilledTopic,
  switchedTopic,
]

const lockMs = 15_000
export const deliveriesMax = 10
/** `isFlushed`: an acknowledgement waits for stable storage, so that it is to outlive a power cut. */
export const configOf = (isFlushed: boolean): NonNullable<BrokerOptions['config']> => ({
  'offsets.topic.num.partitions': 2,
  'transaction.state.log.num.partitions': 2,
  'share.coordinator.state.topic.num.partitions': 1,
  'group.consumer.min.session.timeout.ms': sessionMs,
  'group.consumer.session.timeout.ms': sessionMs,
  'group.consumer.min.heartbeat.interval.ms': 500,
  'group.consumer.heartbeat.interval.ms': 1000,
  'group.share.record.lock.duration.ms': lockMs,
  'group.share.delivery.count.limit': deliveriesMax,
  'transaction.abort.timed.out.transaction.cleanup.interval.ms': 1000,
  'log.retention.check.interval.ms': 5000,
  'log.cleaner.backoff.ms': 3000,
  // Longer than anybody goes on trying to write something once.
  'producer.id.expiration.ms': 90_000,
  ...(isFlushed ? { 'flush.policy': 'batch' } : {}),
})

export const subscribed: readonly Subscribed[] = [
  { group: 'all', topic: 'idem', isolation: 0 },
  { group: 'committed', topic: 'txn-a', isolation: 1 },
]
export const classic: Subscribed = { group: 'classic', topic: 'idem', isolation: 0 }
export const workers: Sharing = { group: 'workers', topic: 'idem', lockMs }
