// DescribeConfigs, AlterConfigs, IncrementalAlterConfigs: resources of every kind, values that are good and not.

import { describeConfigs } from '../../../protocol/messages/32-describe-configs.ts'
import { alterConfigs } from '../../../protocol/messages/33-alter-configs.ts'
import { incrementalAlterConfigs } from '../../../protocol/messages/44-incremental-alter-configs.ts'
import type { Side } from '../side.ts'

const [topic, broker] = [2, 4]
const [set, remove, append, subtract] = [0, 1, 2, 3]

const badResources: [label: string, type: number, name: string][] = [
  ['an unknown topic', topic, 'cf-none'],
  ['a topic with a bad name', topic, 'a/b'],
  ['a topic without a name', topic, ''],
  ['an unknown broker', broker, '9'],
  ['a negative broker', broker, '-1'],
  ['a broker that is no number', broker, 'x'],
  ['a broker 1 with spaces', broker, ' 1 '],
  ['a broker 01', broker, '01'],
  ...[0, 1, 3, 5, 7, 64, 100, 127, -1].map((type): [string, number, string] => [`resource type ${type}`, type, 'x']),
]

export async function describeConfigsScenario(side: Side): Promise<void> {
  await side.topic('cf', 1, { 'retention.ms': '1234', 'cleanup.policy': 'compact,delete' })
  type Resource = { resourceType: number; resourceName: string; configurationKeys: string[] | null }
  const one = (type: number, name: string, keys: string[] | null = ['retention.ms']): Resource => ({
    resourceType: type,
    resourceName: name,
    configurationKeys: keys,
  })
  const ask = (label: string, resources: Resource[], includeSynonyms = false, includeDocumentation = false) =>
    side.each(label, describeConfigs, { resources, includeSynonyms, includeDocumentation })
  await ask('nothing', [])
  await ask('all of a topic', [one(topic, 'cf', null)])
  await ask('all of a topic, by an empty list', [one(topic, 'cf', [])])
  await ask('all of a topic with synonyms', [one(topic, 'cf', null)], true)
  await ask('some of a topic', [one(topic, 'cf', ['segment.ms', 'retention.ms', 'no.such', 'cleanup.policy'])], true)
  await ask('one twice', [one(topic, 'cf', ['retention.ms', 'retention.ms'])])
  await ask('only unknown ones', [one(topic, 'cf', ['no.such', ''])])
  await ask('some of a broker', [one(broker, '1', ['log.retention.ms', 'num.partitions', 'node.id', 'no.such'])], true)
  await ask('some of all brokers', [one(broker, '', ['log.retention.ms', 'num.partitions'])], true)
  await ask('all of all brokers', [one(broker, '', null)], true)
  for (const [label, type, name] of badResources) await ask(label, [one(type, name)])
  for (const [label, type] of [
    ['logger', 8],
    ['client metrics', 16],
    ['group', 32],
  ] as const) {
    for (const name of ['', '1', 'x']) await ask(`${label} «${name}»`, [one(type, name, ['no.such'])])
  }
  await ask('one resource twice', [one(topic, 'cf'), one(topic, 'cf', ['segment.ms'])])
  await ask('several', [one(topic, 'cf-none'), one(broker, '', ['no.such']), one(topic, 'cf'), one(broker, '9')])
}

export async function alterConfigsScenario(side: Side): Promise<void> {
  await side.topic('ca', 1, { 'retention.ms': '1234' })
  await side.topic('ca-other', 1)
  type Op = [name: string, operation: number, value: string | null]
  const resource = (type: number, name: string, ops: Op[]) => ({
    resourceType: type,
    resourceName: name,
    configs: ops.map(([key, configOperation, value]) => ({ name: key, configOperation, value })),
  })
  type Resource = ReturnType<typeof resource>
  const both = async (label: string, resources: Resource[], validateOnly: boolean) => {
    await side.each(label, incrementalAlterConfigs, { resources, validateOnly })
    if (resources.every(({ configs }) => configs.every(({ configOperation }) => configOperation === set))) {
      await side.each(label, alterConfigs, { resources, validateOnly })
    }
  }
  const show = async (label: string, type: number, name: string, ...keys: string[]) => {
    await side.settle()
    const resources = [{ resourceType: type, resourceName: name, configurationKeys: keys.length === 0 ? null : keys }]
    await side.ask(label, describeConfigs, 4, { resources, includeSynonyms: true, includeDocumentation: false })
  }
  const cases: [label: string, type: number, name: string, ops: Op[]][] = [
    ['set', topic, 'ca', [['retention.ms', set, '77']]],
    [
      'set two',
      topic,
      'ca',
      [
        ['retention.ms', set, '78'],
        ['cleanup.policy', set, 'compact'],
      ],
    ],
    [
      'one twice',
      topic,
      'ca',
      [
        ['retention.ms', set, '1'],
        ['retention.ms', set, '2'],
      ],
    ],
    [
      'one set and removed',
      topic,
      'ca',
      [
        ['retention.ms', set, '1'],
        ['retention.ms', remove, null],
      ],
    ],
    ['a bad value', topic, 'ca', [['retention.ms', set, 'x']]],
    ['out of range', topic, 'ca', [['max.message.bytes', set, '-1']]],
    ['null', topic, 'ca', [['retention.ms', set, null]]],
    [
      'null and a bad one',
      topic,
      'ca',
      [
        ['retention.ms', set, null],
        ['no.such', set, '1'],
      ],
    ],
    ['an empty value', topic, 'ca', [['retention.ms', set, '']]],
    ['an empty list', topic, 'ca', [['cleanup.policy', set, '']]],
    ['an unknown name', topic, 'ca', [['no.such', set, '1']]],
    ['an empty name', topic, 'ca', [['', set, '1']]],
    ['an unknown one removed', topic, 'ca', [['no.such', remove, null]]],
    ['one removed that was not set', topic, 'ca', [['segment.ms', remove, null]]],
    ['one removed with a value', topic, 'ca', [['segment.ms', remove, 'x']]],
    ['append to no list', topic, 'ca', [['retention.ms', append, '1']]],
    ['subtract from no list', topic, 'ca', [['retention.ms', subtract, '1']]],
    ['append to an unknown one', topic, 'ca', [['no.such', append, '1']]],
    ['append a bad one', topic, 'ca', [['cleanup.policy', append, 'burn']]],
    ['append null', topic, 'ca', [['cleanup.policy', append, null]]],
    ['subtract what is not there', topic, 'ca', [['cleanup.policy', subtract, 'burn']]],
    ['subtract all', topic, 'ca', [['cleanup.policy', subtract, 'delete']]],
    ['append what is there', topic, 'ca', [['cleanup.policy', append, 'delete']]],
    ['an unknown operation', topic, 'ca', [['retention.ms', 9, '1']]],
    ['a negative operation', topic, 'ca', [['retention.ms', -1, '1']]],
    ['no operations', topic, 'ca', []],
    [
      'lags that contradict',
      topic,
      'ca',
      [
        ['min.compaction.lag.ms', set, '10'],
        ['max.compaction.lag.ms', set, '5'],
      ],
    ],
    ['an unknown topic, a bad value', topic, 'cf-none', [['retention.ms', set, 'x']]],
    ['an unknown topic, an unknown name', topic, 'cf-none', [['no.such', set, '1']]],
    ['an unknown topic, null', topic, 'cf-none', [['retention.ms', set, null]]],
    ['an unknown topic, append to no list', topic, 'cf-none', [['retention.ms', append, '1']]],
    ['an unknown topic, a bad policy', topic, 'cf-none', [['cleanup.policy', set, 'burn']]],
    ['broker, dynamic', broker, '1', [['log.cleaner.threads', set, '2']]],
    ['broker, dynamic, all', broker, '', [['log.retention.ms', set, '1000000']]],
    ['broker, read-only', broker, '1', [['broker.id', set, '2']]],
    ['broker, read-only by name', broker, '1', [['log.dirs', set, '/x']]],
    ['broker, read-only, all', broker, '', [['num.partitions', set, '2']]],
    ['broker, per broker only, all', broker, '', [['advertised.listeners', set, 'PLAINTEXT://x:1']]],
    ['broker, unknown', broker, '1', [['no.such', set, '2']]],
    ['broker, unknown, all', broker, '', [['no.such', set, '2']]],
    ['broker, bad value', broker, '1', [['log.retention.ms', set, 'x']]],
    ['broker, out of range', broker, '', [['message.max.bytes', set, '-1']]],
    ['broker, null', broker, '', [['log.retention.ms', set, null]]],
    ['broker, removed', broker, '', [['log.retention.bytes', remove, null]]],
    ['broker, no operations', broker, '1', []],
    ...badResources.map(([label, type, name]): [string, number, string, Op[]] => [
      label,
      type,
      name,
      [['retention.ms', set, '1']],
    ]),
    ['logger, root', 8, '1', [['kafka.no.such.logger', set, 'INFO']]],
    ['logger, bad level', 8, '1', [['kafka.server.KafkaApis', set, 'LOUD']]],
    ['logger of another broker', 8, '9', [['kafka.server.KafkaApis', set, 'INFO']]],
    ['logger of nobody', 8, '', [['kafka.server.KafkaApis', set, 'INFO']]],
    ['client metrics', 16, 'm', [['no.such', set, '1']]],
    ['client metrics without a name', 16, '', [['interval.ms', set, '1000']]],
    ['group', 32, 'g', [['no.such', set, '1']]],
    ['group without a name', 32, '', [['consumer.session.timeout.ms', set, '45000']]],
  ]
  for (const [label, type, name, ops] of cases) await both(`would: ${label}`, [resource(type, name, ops)], true)
  for (const [label, type, name, ops] of cases) {
    if (type !== topic) continue
    await both(`does: ${label}`, [resource(type, name, ops)], false)
    if (name === 'ca') await show(`after: ${label}`, topic, 'ca', 'retention.ms', 'cleanup.policy', 'segment.ms')
  }
  const ops: Op[] = [['retention.ms', set, '5']]
  for (const validateOnly of [true, false]) {
    await both(
      `one resource twice ${validateOnly}`,
      [resource(topic, 'ca', ops), resource(topic, 'ca', ops)],
      validateOnly,
    )
    await both(
      `one resource twice and another ${validateOnly}`,
      [resource(topic, 'ca', ops), resource(topic, 'ca-other', ops), resource(topic, 'ca', ops)],
      validateOnly,
    )
    await both(
      `several ${validateOnly}`,
      [
        resource(topic, 'cf-none', ops),
        resource(topic, 'ca-other', ops),
        resource(broker, '9', ops),
        resource(topic, 'ca', ops),
      ],
      validateOnly,
    )
    await both(
      `good and bad ${validateOnly}`,
      [resource(topic, 'ca-other', [['no.such', set, '1']]), resource(topic, 'ca', ops)],
      validateOnly,
    )
    await both(`nothing ${validateOnly}`, [], validateOnly)
  }
  await both('broker by itself', [resource(broker, '1', [['log.retention.ms', set, '2000000']])], false)
  await both('all brokers', [resource(broker, '', [['log.retention.ms', set, '3000000']])], false)
  await show('the broker then', broker, '1', 'log.retention.ms')
  await show('all brokers then', broker, '')
  await show('a topic then', topic, 'ca-other', 'retention.ms', 'segment.ms')
  await both('back', [resource(broker, '1', [['log.retention.ms', remove, null]])], false)
  await both('back, all', [resource(broker, '', [['log.retention.ms', remove, null]])], false)
  await show('the broker in the end', broker, '1', 'log.retention.ms')
}
