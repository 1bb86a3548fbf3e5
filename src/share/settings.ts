// What a share group may do: its own dynamic configuration, and below it what the broker says for all groups.

import type { GroupSettings } from '../broker/group-config.ts'

export type ShareSettings = {
  /** How long a member may keep what it has acquired. */
  readonly lockMs: number
  /** How often a record is handed out at most. */
  readonly deliveriesMax: number
  /** How many records of a partition are in flight at most. */
  readonly locksMax: number
  /** Records of transactions are handed out when they are decided, and only if they were committed. */
  readonly isCommitted: boolean
  /** `latest`, `earliest` or `by_duration:<ISO 8601>`: where a group begins to read. */
  readonly reset: string
  /** KIP-1222: whether a member may lengthen its locks. */
  readonly mayRenew: boolean
}

export const shareSettings = (group: GroupSettings): ShareSettings => ({
  lockMs: group.number('share.record.lock.duration.ms'),
  deliveriesMax: group.number('share.delivery.count.limit'),
  locksMax: group.number('share.partition.max.record.locks'),
  isCommitted: group.string('share.isolation.level') === 'read_committed',
  reset: group.string('share.auto.offset.reset'),
  mayRenew: group.boolean('share.renew.acknowledge.enable'),
})

const millis = { D: 86_400_000, H: 3_600_000, M: 60_000, S: 1_000 } as const

/** `PnDTnHnMn.nS` in milliseconds, as java.time.Duration reads it. The configuration was checked when it was set. */
export function durationMs(text: string): number {
  const found = /^P(?:\+?(\d+)D)?(?:T(?:\+?(\d+)H)?(?:\+?(\d+)M)?(?:\+?(\d+(?:[.,]\d*)?)S)?)?$/i.exec(text)
  const [days, hours, minutes, seconds] = (found?.slice(1) ?? []).map((part) => Number(part?.replace(',', '.') ?? 0))
  const whole = (days ?? 0) * millis.D + (hours ?? 0) * millis.H + (minutes ?? 0) * millis.M
  return whole + Math.floor((seconds ?? 0) * millis.S)
}
