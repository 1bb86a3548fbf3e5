// What a share group may do: its own dynamic configuration, and below it what the broker says for all groups.

import type { BrokerConfig } from '../broker/broker-config.ts'

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

/** The value that a group has been given for one of its configurations, as text; undefined: none. */
export type GroupOverride = (groupId: string, name: string) => string | undefined

export function shareSettings(broker: BrokerConfig, groupId: string, override: GroupOverride): ShareSettings {
  const number = (name: string): number => {
    const own = override(groupId, `share.${name}`)
    return own === undefined ? broker.number(`group.share.${name}`) : Number(own)
  }
  return {
    lockMs: number('record.lock.duration.ms'),
    deliveriesMax: number('delivery.count.limit'),
    locksMax: number('partition.max.record.locks'),
    isCommitted: override(groupId, 'share.isolation.level') === 'read_committed',
    reset: override(groupId, 'share.auto.offset.reset') ?? 'latest',
    mayRenew: override(groupId, 'share.renew.acknowledge.enable') !== 'false',
  }
}

const millis = { D: 86_400_000, H: 3_600_000, M: 60_000, S: 1_000 } as const

/** `PnDTnHnMn.nS` in milliseconds, as java.time.Duration reads it; undefined for anything else. */
export function durationMs(text: string): number | undefined {
  const found = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d{1,9})?)S)?)?$/i.exec(text)
  if (found === null || !/\d/.test(text)) return undefined
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = found.slice(1).map((part) => Number(part ?? 0))
  return days * millis.D + hours * millis.H + minutes * millis.M + Math.floor(seconds * millis.S)
}
