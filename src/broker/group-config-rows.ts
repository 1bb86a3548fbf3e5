// What may be said about a single group (KIP-848, 932, 1071): names, types and ranges of Kafka 4.4.0, and the broker option
// that counts where nothing is said.

import type { ConfigRow, ConfigType, ConfigValue } from './config-table.ts'

export type GroupRow = ConfigRow & {
  /** The broker option whose value counts where the group has none of its own. */
  readonly broker?: string
  /** The broker options between which a value must lie. */
  readonly within?: { readonly least?: string; readonly most: string }
}

type Options = Omit<Partial<GroupRow>, 'name' | 'type' | 'default' | 'doc'>
const row = (type: ConfigType, name: string, value: string, doc: string, options: Options = {}): GroupRow => ({
  name,
  type,
  default: value,
  effect: true,
  doc,
  ...options,
})

/** `share.session.timeout.ms` is `group.share.session.timeout.ms` of the broker, within `group.share.{min,max}.session.timeout.ms`. */
function bounded(name: string, value: number, min: number, doc: string): GroupRow {
  const [, kind = '', rest = ''] = /^(\w+)\.(.*)$/.exec(name) ?? []
  return row('int', name, String(value), doc, {
    min,
    broker: `group.${name}`,
    within: { least: `group.${kind}.min.${rest}`, most: `group.${kind}.max.${rest}` },
  })
}

/** ISO 8601 as far as Java's Duration reads it. */
const duration = /^P(?=.)(?:\+?\d+D)?(?:T(?=.)(?:\+?\d+H)?(?:\+?\d+M)?(?:\+?\d+(?:[.,]\d{0,9})?S)?)?$/i

function checkReset(value: ConfigValue): string | undefined {
  const text = String(value)
  if (text === 'earliest' || text === 'latest') return undefined
  if (text.startsWith('by_duration:') && duration.test(text.slice('by_duration:'.length))) return undefined
  const forms = "The value must be either 'earliest', 'latest' or of the format 'by_duration:<PnDTnHnMn.nS>'."
  const name = 'share.auto.offset.reset'
  return `Invalid value ${text} for configuration ${name}: Invalid value \`${text}\` for configuration ${name}. ${forms}`
}

const session = 'A member of which nothing was heard for this long leaves the group.'
const heartbeat = 'How often a member is to be heard from.'
const assignment = 'How long a group waits between two assignments.'
const noStreams = 'Accepted without effect: streams groups are not served.'

const streams = (rows: readonly GroupRow[]): GroupRow[] =>
  rows.map((each) => ({ ...each, effect: false, doc: noStreams }))

export const groupRows: readonly GroupRow[] = [
  bounded('consumer.session.timeout.ms', 45_000, 1, session),
  bounded('consumer.heartbeat.interval.ms', 5000, 1, heartbeat),
  bounded('consumer.assignment.interval.ms', 1000, 0, assignment),
  bounded('share.session.timeout.ms', 45_000, 1, session),
  bounded('share.heartbeat.interval.ms', 5000, 1, heartbeat),
  bounded('share.assignment.interval.ms', 1000, 0, assignment),
  bounded('share.record.lock.duration.ms', 30_000, 1000, 'How long a record is kept for the member that took it.'),
  bounded('share.delivery.count.limit', 5, 2, 'How often a record is handed out before it is given up.'),
  bounded('share.partition.max.record.locks', 2000, 100, 'How many records of a partition may be taken at once.'),
  row(
    'string',
    'share.auto.offset.reset',
    'latest',
    'Where a share group begins: earliest, latest, or by_duration:PnDTnHnMn.nS before now.',
    { check: checkReset },
  ),
  row(
    'string',
    'share.isolation.level',
    'read_uncommitted',
    'Whether a share group is given records of transactions that are open or aborted.',
    { oneOf: ['read_committed', 'read_uncommitted'] },
  ),
  row('boolean', 'share.renew.acknowledge.enable', 'true', 'Whether members may renew the lock of a record.'),
  row(
    'boolean',
    'errors.deadletterqueue.copy.record.enable',
    'false',
    'Whether key and value of a record that is given up are copied, or only where it lies and why.',
  ),
  row(
    'string',
    'errors.deadletterqueue.topic.name',
    '',
    'The topic for records that are given up; empty: none (KIP-1191).',
    {
      check: (value) =>
        String(value).startsWith('__')
          ? "errors.deadletterqueue.topic.name: DLQ topic name must not start with '__'"
          : undefined,
    },
  ),
  ...streams([
    bounded('streams.session.timeout.ms', 45_000, 1, ''),
    bounded('streams.heartbeat.interval.ms', 5000, 1, ''),
    bounded('streams.assignment.interval.ms', 1000, 0, ''),
    row('int', 'streams.initial.rebalance.delay.ms', '3000', '', {
      min: 0,
      broker: 'group.streams.initial.rebalance.delay.ms',
    }),
    row('int', 'streams.num.standby.replicas', '0', '', {
      min: 0,
      broker: 'group.streams.num.standby.replicas',
      within: { most: 'group.streams.max.standby.replicas' },
    }),
    row('string', 'streams.assignor.name', 'sticky', '', {
      broker: 'group.streams.assignors',
      check: (value) =>
        value === 'sticky'
          ? undefined
          : `streams.assignor.name '${value}' is not a registered task assignor. Registered assignors are: [sticky].`,
    }),
    row('list', 'streams.rack.aware.assignment.tags', '', '', {
      broker: 'group.streams.rack.aware.assignment.tags',
      check: (value) =>
        Array.isArray(value) && new Set(value).size < value.length
          ? "Configuration 'streams.rack.aware.assignment.tags' values must not be duplicated."
          : undefined,
    }),
  ]),
]
