// What a change of a consumer group comes to: the records, and what happens once they are in the log. A group that has lost
// its last member of the new protocol becomes a classic one, where the broker is told to allow it.

import type { ConsumerChange } from './consumer-change.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import { consumerRecord } from './consumer-records.ts'
import type { Decision } from './journal.ts'
import { downgraded, remainsRecord } from './migration.ts'
import type { OffsetsRecord } from './offsets-log.ts'
import { groupRecord } from './records.ts'
import type { Roster } from './roster.ts'

export const undecided = <T>(answer: T): Decision<T> => ({ records: [], apply: () => {}, answer })

/** `first`: records that make room for the group. `then` runs when the group stands. */
export function concluded<T>(
  roster: Roster,
  group: ConsumerGroup,
  change: ConsumerChange,
  answer: T,
  { first = [], then = () => {} }: { first?: readonly OffsetsRecord[]; then?: () => void } = {},
): Decision<T> {
  if (mayDowngrade(roster, change)) return downgrade(roster, group, change, answer)
  const apply = () => {
    if (roster.find(group.id) !== group) roster.put(group)
    if (change.state !== change.before) group.adopt(change.state)
    then()
  }
  return { records: [...first, ...change.records.map((record) => consumerRecord(group.id, record))], apply, answer }
}

function mayDowngrade({ config }: Roster, { hasRemoved, state: { members } }: ConsumerChange): boolean {
  if (!hasRemoved || members.size === 0 || members.size > config['group.max.size']) return false
  if (!allows(config['group.consumer.migration.policy'], 'downgrade')) return false
  for (const { classic } of members.values()) if (classic === null) return false
  return true
}

export const allows = (policy: string, way: 'upgrade' | 'downgrade'): boolean =>
  [way, 'bidirectional'].includes(policy.toLowerCase())

function downgrade<T>(roster: Roster, group: ConsumerGroup, change: ConsumerChange, answer: T): Decision<T> {
  const { now, catalog } = roster.circumstances(group.id)
  // The epoch that its last member of the new protocol has left behind was told to nobody.
  const remains = downgraded(change.state, change.before.epoch, catalog)
  const apply = () => {
    group.die()
    const classic = roster.newClassic(group.id, group.offsets)
    roster.put(classic)
    classic.inherit(remains)
  }
  const records = [...group.tombstones(), groupRecord(group.id, remainsRecord(remains, now))]
  return { records, apply, answer }
}
