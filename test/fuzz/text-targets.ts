// Readers of what people and programs write: commands, JSON, fork points, rules, regular expressions, names. None of them may
// throw; what is wrong is answered.

import { Refusal } from '../../protocol/errors.ts'
import { parseCommand } from '../../src/branch/commands.ts'
import { readConflict } from '../../src/branch/conflict-records.ts'
import { parseForkPoint } from '../../src/branch/fork-point.ts'
import { mergeJson } from '../../src/branch/json-merge.ts'
import { parseJsonObject, printJson, sameness } from '../../src/branch/json-text.ts'
import { readId, setEntered } from '../../src/branch/set-names.ts'
import { validateBrokerConfigs } from '../../src/broker/broker-config.ts'
import { RegularExpression } from '../../src/group/regular-expression.ts'
import { parseKeepRule } from '../../src/revision/keep-rules.ts'
import type { Target } from './fuzzing.ts'
import { pair, unpair } from './record-targets.ts'

const texts =
  (...all: string[]) =>
  () =>
    all.map((text) => Buffer.from(text))

const commands: Target = {
  name: 'commands',
  weight: 3,
  seeds: texts(
    '{"op":"fork","from":"orders","to":"orders--try","at":"offset:5","groups":"copy","config":{"branch.ttl.ms":"5"}}',
    '{"op":"fork","topics":[{"from":"a","to":"b","at":"offsets:0=1,1=2"}],"set":"S","id":"x"}',
    '{"op":"plan","from":"a","into":"b","strategy":"three-way","limit":10,"onConflict":"park"}',
    '{"op":"merge","set":"S","strategy":"append","keys":["a","b"],"keyPrefix":"k","dryRun":true}',
    '{"op":"resolve","merge":"c-1","key":"k","topic":"t","partition":0,"take":"ours"}',
    '{"op":"revert","merge":"c-1","into":"b"}',
    '{"op":"reset","branch":"b","at":"latest"}',
    '{"op":"promote","set":"S","keep":"old"}',
    '{"op":"abandon","branch":"b"}',
    '{"op":"listen","set":"S","port":0}',
  ),
  run: (bytes) => {
    const { command } = parseCommand(bytes, 'c-5')
    return 'op' in command
      ? `${command.op} ${Object.keys(command).length}`
      : `${JSON.stringify(command).replace(/\d+/g, '#').slice(0, 80)}`
  },
}

const documents: Target = {
  name: 'json-documents',
  weight: 2,
  seeds: texts(
    '{"a":1.0,"b":{"c":[1,2,{"d":null}],"e":"\\u00e9\\n"},"f":true}',
    '{"a":12345678901234567890,"b":"x","":{}}',
    '{"a":[[[[]]]],"b":-0.5e-10}',
  ),
  run: (bytes) => {
    const half = bytes.indexOf('|')
    const [one, two] = half < 0 ? [bytes, bytes] : [bytes.subarray(0, half), bytes.subarray(half + 1)]
    const found = parseJsonObject(one)
    if (found === undefined) return 'none'
    const printed = Buffer.from(printJson(found))
    const again = parseJsonObject(printed)
    if (again === undefined || sameness(again) !== sameness(found))
      throw new Error('what was printed is another document')
    const other = parseJsonObject(two)
    if (other === undefined) return 'one'
    return `both ${mergeJson(one, two, Buffer.from('{}'), undefined as never) === undefined}`
  },
}

const conflicts: Target = {
  name: 'conflict-records',
  seeds: () => [
    pair({
      key: Buffer.from('c-1|t|0|a2V5'),
      value: Buffer.from(
        '{"v":1,"key":"key","base":{"offset":1,"timestamp":2,"value":"a"},"ours":{"offset":3,"timestamp":4,"valueBase64":"YQ=="}}',
      ),
    }),
  ],
  run: (bytes) => {
    const { key, value } = unpair(bytes)
    return readConflict(key, value ?? Buffer.alloc(0)) === undefined ? 'none' : 'read'
  },
}

const points: Target = {
  name: 'fork-points',
  seeds: texts(
    'latest',
    'earliest',
    'offset:12',
    'offsets:0=1,1=2',
    'timestamp:1700000000000',
    'timestamp:2026-01-01T00:00:00Z',
    'group:g',
  ),
  run: (bytes) => {
    const found = parseForkPoint(bytes.toString())
    return found instanceof Refusal
      ? `refused ${found.message
          .replace(/^.*?: /, '')
          .replace(/'.*'/, '')
          .slice(0, 40)}`
      : found.kind
  },
}

const rules: Target = {
  name: 'keep-rules',
  seeds: texts('all', 'last:10', 'last:3,hourly:24,daily:7'),
  run: (bytes) => (typeof parseKeepRule(bytes.toString()) === 'string' ? 'refused' : 'read'),
}

const expressions: Target = {
  name: 'regular-expressions',
  bytesMax: 300,
  seeds: texts(
    'foo.*',
    '^(orders|payments)-[0-9]{1,3}$',
    '[[:alpha:]_\\w-]+?',
    '(?i:a)b|c{2,}',
    '\\Qa.b\\E\\pL',
    '(((a*)*)*)*',
    '(?P<n>x)\\x{41}',
  ),
  run: (bytes) => {
    const found = RegularExpression.parse(bytes.toString())
    if (found instanceof Refusal) return `refused ${found.message.slice(-60).replace(/`.*`/s, '')}`
    return `${found.matches('orders-12')} ${found.matches('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!')} ${found.matches('')}`
  },
}

const names: Target = {
  name: 'names',
  seeds: texts('app--branch--S--1', '\u0001S\u0001group', 'plain', '--branch--a--branch--b--'),
  run: (bytes) => {
    const text = bytes.toString()
    readId(text)
    return `${setEntered(text) === undefined}`
  },
}

const settings: Target = {
  name: 'settings',
  seeds: texts(
    'listeners=PLAINTEXT://127.0.0.1:9092',
    'log.retention.ms=-1',
    'max.connections.per.ip.overrides=127.0.0.1:5, 10.0.0.1:7',
    'group.consumer.assignors=uniform,range',
    'log.cleaner.io.max.bytes.per.second=1.5E308',
    'offsets.topic.num.partitions=50',
    'unclean.leader.election.enable=true',
  ),
  run: (bytes) => {
    const text = bytes.toString()
    const at = text.indexOf('=')
    const value = text.slice(at + 1)
    const refusal = validateBrokerConfigs(new Map([[text.slice(0, Math.max(0, at)), { value, origin: 'fuzz' }]]))
    return refusal === undefined
      ? 'taken'
      : refusal.message
          .replace(/["'`].*["'`]/gs, '')
          .replace(/\d+/g, '#')
          .slice(0, 60)
  },
}

export const textTargets: readonly Target[] = [
  commands,
  documents,
  conflicts,
  points,
  rules,
  expressions,
  names,
  settings,
]
