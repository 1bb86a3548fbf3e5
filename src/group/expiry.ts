// Which committed offsets have outlived offsets.retention.minutes (KIP-211), and which groups nothing is left of.

import type { Group } from './group.ts'
import type { TopicPartition } from './offsets.ts'

/** Offsets whose time is up. Those with an open transaction on them stay until it ends. */
export function expiredOffsets(group: Group, nowMs: number, retentionMs: number): TopicPartition[] {
  const expired: TopicPartition[] = []
  for (const { topic, partition, committed } of group.offsets.all()) {
    const since = group.agesSince(topic, committed.commitAt)
    if (since === undefined || group.offsets.isUnstable(topic, partition)) continue
    const endsAt = committed.expireAt ?? since + retentionMs
    if (nowMs >= endsAt) expired.push({ topic, partition })
  }
  return expired
}

/** An empty group is forgotten with its last offset, but not while a transaction may still commit one. */
export function outlives(group: Group, expired: readonly TopicPartition[]): boolean {
  if (!group.isEmpty || group.offsets.hasPending) return true
  let count = 0
  for (const _ of group.offsets.all()) count++
  return count > expired.length
}
