// What a broker that runs refuses to become, though it might have been started like that: each is asked whether it can be
// changed so (seen in Kafka 4.4.0, whose sentences these are where it has any).

import type { ConfigValue } from './config-table.ts'

/** The values that are in force. */
type InForce = { number(name: string): number; string(name: string): string; list(name: string): readonly string[] }

const pools: ReadonlySet<string> = new Set([
  ...['num.io.threads', 'num.network.threads', 'num.replica.fetchers', 'num.recovery.threads.per.data.dir'],
  ...['background.threads', 'log.cleaner.threads', 'remote.log.reader.threads'],
  ...['copier', 'expiration', 'follower'].map((kind) => `remote.log.manager.${kind}.thread.pool.size`),
])

/** A pool of threads at most doubles or halves at a time. */
function refusePool(name: string, value: number, before: number): string | undefined {
  const what = `Dynamic thread count update validation failed for ${name}=${value}:`
  if (value === before) return undefined
  if (value <= 0) return `${what} value should be at least 1`
  if (value < Math.trunc(before / 2)) return `${what} value should be at least half the current value ${before}`
  return value > before * 2 ? `${what} value should not be greater than double the current value ${before}` : undefined
}

const mebibyte = 1024 * 1024
/** The only ones that are never looked for on a class path. */
const javaName = /^org\.apache\.kafka\./

type Check = (value: ConfigValue, inForce: InForce) => string | undefined

const positive =
  (name: string): Check =>
  (value) =>
    Number(value) > 0 ? undefined : `Invalid ${name} ${value}`

/** No longer than records are kept. */
const withinRetention =
  (name: string): Check =>
  (value, inForce) => {
    const [most, asked] = [inForce.number('log.retention.ms'), Number(value)]
    if (most === -1 || asked === -2) return undefined
    if (asked <= most && (asked !== -1 || name !== 'log.local.retention.ms')) return undefined
    return `Invalid value ${value} for ${name}: it must not be more than log.retention.ms, ${most}`
  }

const interval =
  (kind: string): Check =>
  (value, inForce) => {
    const most = inForce.number(`group.${kind}.max.assignment.interval.ms`)
    return Number(value) <= most ? undefined : `group.${kind}.assignment.interval.ms must be at most ${most}`
  }

const checks: ReadonlyMap<string, Check> = new Map<string, Check>([
  [
    'max.connections',
    (value) =>
      Number(value) > 0 ? undefined : `Invalid max.connections ${value}: nobody could connect to change it back`,
  ],
  ['log.roll.ms', positive('log.roll.ms')],
  ['log.roll.jitter.ms', (value) => (Number(value) >= 0 ? undefined : `Invalid log.roll.jitter.ms ${value}`)],
  [
    'max.connections.per.ip',
    (value, inForce) =>
      Number(value) > 0 || inForce.string('max.connections.per.ip.overrides') !== ''
        ? undefined
        : 'max.connections.per.ip can be set to zero only if max.connections.per.ip.overrides property is set.',
  ],
  [
    'max.connections.per.ip.overrides',
    (value) =>
      String(value) === '' || /^[^,:]+(:[^,]*)*:\s*\d+(,[^,:]+(:[^,]*)*:\s*\d+)*$/.test(String(value))
        ? undefined
        : `Invalid max.connections.per.ip.overrides ${value}: address:count is expected`,
  ],
  ['max.connection.creation.rate', positive('max.connection.creation.rate')],
  [
    'log.cleaner.dedupe.buffer.size',
    (value, inForce) =>
      Number(value) / Math.max(1, inForce.number('log.cleaner.threads')) > mebibyte
        ? undefined
        : 'log.cleaner.dedupe.buffer.size must be at least 1MB per cleaner thread.',
  ],
  [
    'metric.reporters',
    (value) => {
      const unknown = (value as readonly string[]).find((each) => !javaName.test(each))
      return unknown === undefined ? undefined : `Class ${unknown} could not be found.`
    },
  ],
  ['log.local.retention.ms', withinRetention('log.local.retention.ms')],
  ['log.remote.copy.lag.ms', withinRetention('log.remote.copy.lag.ms')],
  ['group.consumer.assignment.interval.ms', interval('consumer')],
  ['group.share.assignment.interval.ms', interval('share')],
  ['group.streams.assignment.interval.ms', interval('streams')],
  [
    'cordoned.log.dirs',
    (value, inForce) => {
      const folders = [...inForce.list('log.dirs'), inForce.string('log.dir')]
      const unknown = (value as readonly string[]).find((each) => !folders.includes(each))
      if (unknown === undefined || String(value) === '*') return undefined
      return `All entries in cordoned.log.dirs must be present in log.dirs; ${unknown} is not`
    },
  ],
])

/** Why an option cannot be changed to this value while the broker runs. `text`: as it was asked for. */
export function refuseWhileRunning(
  { name, type }: { readonly name: string; readonly type: string },
  text: string,
  value: ConfigValue,
  inForce: InForce,
): string | undefined {
  if (pools.has(name)) return refusePool(name, Number(value), inForce.number(name))
  if (type === 'class' && !javaName.test(String(value))) return `Class ${value} could not be found.`
  if (type === 'list' && name !== 'config.providers') {
    const elements = text.split(',').map((each) => each.trim())
    if (new Set(elements).size < elements.length) return `Configuration '${name}' values must not be duplicated.`
  }
  return checks.get(name)?.(value, inForce)
}
