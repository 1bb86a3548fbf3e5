// Every configuration that can be changed, with values of every kind: what is taken, and how it is shown afterwards.

import { describeConfigs } from '../../../protocol/messages/32-describe-configs.ts'
import { incrementalAlterConfigs } from '../../../protocol/messages/44-incremental-alter-configs.ts'
import { brokerConfigTable } from '../../../src/broker/broker-config.ts'
import type { BrokerRow } from '../../../src/broker/broker-config-row.ts'
import type { ConfigRow, ConfigType } from '../../../src/broker/config-table.ts'
import { groupRows } from '../../../src/broker/group-config-rows.ts'
import { topicRows } from '../../../src/broker/topic-config-rows.ts'
import type { Side } from '../side.ts'

const resourceTypes = { topic: 2, broker: 4, clientMetrics: 16, group: 32 } as const

const whole = [
  ...['-9223372036854775809', '-9223372036854775808', '-2147483649', '-2147483648', '-32769', '-3', '-2', '-1', '-0'],
  ...['0', '1', '2', '9', '10', '17', '18', '32768', '1048576', '2147483639', '2147483647', '2147483648'],
  ...['9223372036854775807', '9223372036854775808', '1.5', '1.0', '1e3', '+5', '0x10', '1_000', 'x', '', ' 77 '],
]
const words = ['', ' ', 'none', 'x', 'a b', '*', '__x', 'by_duration:PT1H', 'by_duration:', 'PT1H']

/** Values to try, by the type of the row. */
const values: Readonly<Record<ConfigType, readonly string[]>> = {
  short: whole,
  int: whole,
  long: whole,
  double: ['-0.1', '-0.0', '0', '0.5', ' .5 ', '5.', '1', '1.1', 'NaN', 'Infinity', '0.5d', '1e-3', 'x', ''],
  boolean: ['true', 'TRUE', ' false ', 'yes', '1', '', 'null'],
  string: words,
  class: words,
  password: words,
  list: [...words, ',', 'a,', ',a', 'a,,b', 'a,a', ' a , b ', '0:1', '0:1,*', '0:x', 'compact,compact', 'DELETE'],
}

/** The words that a row knows are tried too, and as they are not written. */
const valuesFor = ({ type, oneOf = [] }: ConfigRow): readonly string[] => [
  ...values[type],
  ...oneOf,
  ...oneOf.map((word) => ` ${word} `),
  ...oneOf.slice(0, 1).map((word) => word.toUpperCase()),
]

type Resource = { resourceType: number; resourceName: string }

async function change(side: Side, resource: Resource, name: string, value: string, validateOnly: boolean) {
  const configs = [{ name, configOperation: 0, value }]
  const resources = [{ ...resource, configs }]
  const { resourceType, resourceName } = resource
  const label = `${resourceType} ${resourceName} ${name}=«${value}»`
  await side.ask(label, incrementalAlterConfigs, 1, { resources, validateOnly })
}

const isTheirs = (row: ConfigRow): boolean => (row as BrokerRow).ours !== true && row.internal !== true

/** Each value of each row where it stays, then all as they are shown: one resource has the first value of all rows, and so on. */
async function changeAndShow(side: Side, rows: readonly ConfigRow[], resource: (i: number) => Resource): Promise<void> {
  const most = Math.max(...rows.map((row) => valuesFor(row).length))
  for (let i = 0; i < most; i++) {
    for (const row of rows) {
      const value = valuesFor(row)[i]
      if (value !== undefined) await change(side, resource(i), row.name, value, false)
    }
  }
  await side.settle()
  for (let i = 0; i < most; i++) {
    const asked = { ...resource(i), configurationKeys: rows.map(({ name }) => name) }
    const body = { resources: [asked], includeSynonyms: true, includeDocumentation: false }
    await side.ask(`shown: ${resource(i).resourceName}`, describeConfigs, 4, body)
  }
}

export async function topicValuesScenario(side: Side): Promise<void> {
  const rows = topicRows.filter(isTheirs)
  const most = Math.max(...rows.map((row) => valuesFor(row).length))
  for (let i = 0; i < most; i++) await side.topic(`cv-${i}`)
  await changeAndShow(side, rows, (i) => ({ resourceType: resourceTypes.topic, resourceName: `cv-${i}` }))
}

export async function groupValuesScenario(side: Side): Promise<void> {
  await changeAndShow(side, groupRows, (i) => ({ resourceType: resourceTypes.group, resourceName: `cv-${i}` }))
}

export async function metricsValuesScenario(side: Side): Promise<void> {
  const rows: ConfigRow[] = [
    { name: 'interval.ms', type: 'int', default: null, effect: false, doc: '' },
    { name: 'metrics', type: 'list', default: null, effect: false, doc: '' },
    {
      name: 'match',
      type: 'list',
      default: null,
      effect: false,
      doc: '',
      oneOf: [
        ...[
          'client_id=a',
          'client_id = a',
          'client_id=',
          'client_id=a=',
          'client_id=a=b',
          '=a',
          'client_id',
          'CLIENT_ID=a',
        ],
        ...['client_id=[', 'client_id=(?<x>a)', 'client_id=a++', 'client_id=\\Qa', 'client_id=(?i)a', 'client_id=(?'],
        ...[
          'client_id=a,client_id=b',
          'client_id=a,',
          'client_id=a,x=b',
          'client_source_port=1',
          'client_instance_id=b',
        ],
      ],
    },
  ]
  await changeAndShow(side, rows, (i) => ({ resourceType: resourceTypes.clientMetrics, resourceName: `cv-${i}` }))
}

/** Only tried: both brokers are to stay as they are. */
export async function brokerValuesScenario(side: Side): Promise<void> {
  const rows = [...brokerConfigTable].filter(isTheirs)
  for (const row of rows) {
    const some = row.dynamic === undefined ? ['1'] : valuesFor(row)
    for (const resourceName of ['', '1']) {
      for (const value of some) {
        await change(side, { resourceType: resourceTypes.broker, resourceName }, row.name, value, true)
      }
    }
  }
}
