// Readers at the edges: what is asked and sent by HTTP, what is typed at a command line, what stands in a file of settings. Whatever it
// is, it is understood or refused in words of ours.

import type { IncomingMessage } from 'node:http'
import { type Command, CommanderError } from 'commander'
import { getProperties } from 'properties-file'
import { Refusal } from '../../protocol/errors.ts'
import { BrokerConfig, validateBrokerConfigs } from '../../src/broker/broker-config.ts'
import type { Partition } from '../../src/broker/partition.ts'
import { portRange, setAddress } from '../../src/broker/set-addresses.ts'
import { validateTopicConfigs } from '../../src/broker/topic-config.ts'
import { branchCommand } from '../../src/cli/branch/branch-words.ts'
import { parseBootstrap } from '../../src/cli/client/kafka-client.ts'
import { Misuse } from '../../src/cli/misuse.ts'
import { revCommand } from '../../src/cli/rev/rev-words.ts'
import { optionName, settingsIn, unknownNames } from '../../src/cli/settings.ts'
import { Asked } from '../../src/http/asked.ts'
import { isOwnHost, isOwnOrigin } from '../../src/http/hosts.ts'
import { positionsOf } from '../../src/http/positions.ts'
import { recordsOf } from '../../src/http/post-records.ts'
import { Problem } from '../../src/http/problem.ts'
import type { Rooms } from '../../src/http/rooms.ts'
import { routes } from '../../src/http/routes.ts'
import { listenersFromAdvertised, listenersOf } from '../../src/net/listener.ts'
import * as json from '../../src/revision/json-scalars.ts'
import type { Target } from './fuzzing.ts'

/** The sentence of a refusal, without what was refused. */
const kindOf = (message: string): string =>
  message
    .replace(/["'`].*["'`]/gs, '')
    .replace(/\d+/g, '#')
    .slice(0, 60)

/** A first byte that chooses, then a text. */
const chosen = (choice: number, text: string): Buffer => Buffer.concat([Buffer.of(choice), Buffer.from(text)])

/** JSON.parse is the oracle: what it takes has as many records, and their texts are its texts. */
const bodies: Target = {
  name: 'http-records',
  weight: 2,
  seeds: () => [
    chosen(0, '{"records":[{"key":"k","value":{"a":1.0},"headers":[{"key":"h","value":"v"}],"partition":0}]}'),
    chosen(0, '[{"valueBase64":"AAE=","timestamp":5},{"key":null,"value":"\\u00e9\\n"},{"value":null}]'),
    chosen(1, '{"key":"a","value":1}\n\n{"keyBase64":"_-8","value":[1,"]",{"}":2}]}\r\n'),
  ],
  run: (bytes) => {
    const isLines = (bytes[0] ?? 0) % 2 === 1
    const body = bytes.subarray(1)
    const found = recordsOf(body, isLines ? 'application/x-ndjson' : 'application/json')
    if (found instanceof Problem) return kindOf(found.detail)
    type Given = { value?: unknown }
    const text = body.toString()
    const lines = text.split('\n').filter((line) => line.trim() !== '')
    const whole = (isLines ? lines.map((line) => JSON.parse(line)) : JSON.parse(text)) as Given[] | { records: Given[] }
    const given = Array.isArray(whole) ? whole : whole.records
    if (given.length !== found.length) throw new Error(`${found.length} records of ${given.length}`)
    for (const [i, { value }] of given.entries()) {
      const written = found[i]!.value
      if (typeof value === 'string' && written?.toString() !== value) throw new Error(`record ${i} is another text`)
      if (typeof value === 'number' && Number(written) !== value) throw new Error(`record ${i} is another number`)
    }
    return `${Math.min(3, found.length)} records`
  },
}

/** Which route, then target, Host and Origin, a line each. */
const questions: Target = {
  name: 'http-questions',
  seeds: () =>
    routes.map(({ path, parameters = [] }, i) => {
      const query = parameters
        .filter((row) => row.in === 'query')
        .map(
          ({ name, schema }) =>
            `${name}=${'default' in schema ? schema.default : schema.type === 'integer' ? 1 : 'true'}`,
        )
      const target = `${path.replace(/\{\w+\}/g, 'a%2Fb%ff')}?${query.join('&')}`
      return chosen(i, `${target}\n127.0.0.1:8080\nhttp://[::1]:8080`)
    }),
  run: (bytes) => {
    const route = routes[(bytes[0] ?? 0) % routes.length]!
    const [url, host, origin] = bytes.subarray(1).toString('latin1').split('\n')
    const [isOwn, isSame] = [isOwnHost(host, new Set(['a'])), isOwnOrigin(origin, host)]
    const asked = Asked.of(route, { url } as IncomingMessage, {} as Rooms)
    return `${route.id} ${isOwn} ${isSame} ${asked instanceof Problem ? kindOf(asked.detail) : 'taken'}`
  },
}

const partitions = [0, 1].map(
  (index) => ({ index, logStartOffset: 3, lastStableOffset: 9, offsetAt: () => undefined }) as unknown as Partition,
)
const places: Target = {
  name: 'http-positions',
  seeds: () =>
    ['earliest', 'latest', '-5', '7', 'timestamp:5', 'timestamp:2026-11-21T22:00:00Z', '0=5,1=7'].map((text) =>
      Buffer.from(text),
    ),
  run: (bytes) => {
    const found = positionsOf(bytes.toString(), partitions.slice(0, 1 + (bytes.length % 2)), 'latest')
    if (found instanceof Problem) return kindOf(found.detail)
    for (const offset of found.values()) if (!(offset >= 0)) throw new Error(`from offset ${offset} on`)
    return `${found.size}`
  },
}

const allOf = (command: Command): Command[] => [command, ...command.commands.flatMap(allOf)]
const silent = { writeOut: () => {}, writeErr: () => {} }

/** `twiglog branch` or `twiglog rev`, then words between blanks. */
const words: Target = {
  name: 'command-lines',
  refusals: [CommanderError, Misuse],
  seeds: () => [
    chosen(0, 'create orders orders--try --groups copy --ttl 5 --config retention.ms=5'),
    chosen(0, 'create orders@0=5,1=7 try --set S --id x --dry-run'),
    chosen(0, 'create orders@2026-11-21T10:00:00Z'),
    chosen(0, 'create --all --set S --json'),
    chosen(0, 'diff orders--try orders --stat --key a2V5 --key-base64'),
    chosen(0, 'merge orders--try --plan --strategy three-way --fields json --limit 5 --on-conflict park'),
    chosen(0, 'revert orders --range 0:120-180 --mode net -y'),
    chosen(0, 'reset --set S --at group:billing'),
    chosen(0, 'log -n 5 --bootstrap [::1]:9092,localhost'),
    chosen(0, 'protect orders merge'),
    chosen(1, 'log orders 1001 --at 2026-11-20 -n 3 --partition 0'),
    chosen(1, 'show orders 1001 --at offset:5 --delta --branch try'),
    chosen(1, 'diff orders 1001 3 7 --raw'),
    chosen(1, 'restore orders 1001 --at rev:3 -y'),
    chosen(1, 'stats orders --json'),
  ],
  run: (bytes) => {
    let given = 'nothing'
    const isRev = (bytes[0] ?? 0) % 2 === 1
    const give = ({ verb }: { verb: string }) => {
      given = `${isRev} ${verb}`
    }
    const root = isRev ? revCommand(give) : branchCommand(give)
    for (const command of allOf(root)) command.exitOverride().configureOutput(silent)
    const line = bytes.subarray(1).toString()
    root.parse(line.split(' '), { from: 'user' })
    parseBootstrap(line)
    return given
  },
}

/** A whole server.properties; every option that is known is checked, and listeners are made of it. */
const properties: Target = {
  name: 'properties',
  weight: 2,
  seeds: () =>
    [
      'listeners=PLAINTEXT://127.0.0.1:9092,CONTROLLER://:9093\ncontroller.listener.names=CONTROLLER\nprocess.roles=broker,controller\n',
      '# a comment\r\nlog.dirs : /tmp/a,\\\n  /tmp/b\r\nnum.partitions 3\n! another\nnode.id=\\u0031\n',
      '\ufeffadvertised.listeners=A://[::1]:9092\nlistener.security.protocol.map=A:PLAINTEXT,B:SSL\ninter.broker.listener.name=A\n',
      'branch.listeners=S=127.0.0.1:9192,T=[::1]:9193\nbranch.listeners.ports=9200-9299\ncluster.brokers=3\n',
      'super.users=User:a;User:b\nauthorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer\n__proto__=x\n',
    ].map((text) => Buffer.from(text)),
  run: (bytes) => {
    let settings: ReturnType<typeof settingsIn>
    try {
      settings = settingsIn(getProperties, bytes.toString(), 'fuzz')
    } catch {
      return 'no properties' // The command says so of the file, whatever it is.
    }
    const unknown = unknownNames(settings).length
    for (const name of settings.keys()) optionName(name)
    const refusal = validateBrokerConfigs(settings)
    if (refusal !== undefined) return kindOf(refusal.message)
    const listeners = listenersOf(new BrokerConfig(settings), 'here')
    listenersFromAdvertised(settings.get('advertised.listeners')?.value ?? '')
    return `${Math.min(unknown, 2)} ${listeners instanceof Refusal ? kindOf(listeners.message) : listeners.length}`
  },
}

const addresses: Target = {
  name: 'addresses',
  seeds: () => ['S=127.0.0.1:9192', 'S=[::1]:9192', '9200-9299', 'a:9092,[::1]:1,b'].map((text) => Buffer.from(text)),
  run: (bytes) => {
    const text = bytes.toString()
    const ports = [
      setAddress(text)?.port ?? 0,
      ...(portRange(text) ?? []),
      ...(parseBootstrap(text) ?? []).map(({ port }) => port),
    ]
    for (const port of ports) if (!(port >= 0 && port <= 65_535)) throw new Error(`the port ${port}`)
    return `${ports.length}`
  },
}

/** Name and value of configurations of a topic, a line each. */
const topicSettings: Target = {
  name: 'topic-settings',
  seeds: () =>
    [
      'cleanup.policy=compact,delete\nmin.compaction.lag.ms=5\nmax.compaction.lag.ms=9',
      'revision.diff=true\nrevision.keep=last:3,daily:7\nrevision.index.json=/a,#/b%2Cc',
      'view.of=orders\nview.at=timestamp:2026-01-01T00:00:00Z\nview.where=/status=paid\nview.kind=state',
      'retention.ms=-1\nsegment.bytes=1048576\ncompression.type=zstd\nmessage.timestamp.type=LogAppendTime',
      'branch.from=orders\nbranch.at=offsets:0=1,1=2\nbranch.groups=copy\nbranch.protection=merge\nbranch.ttl.ms=5',
      'min.insync.replicas=2\nflush.messages=1\nleader.replication.throttled.replicas=0:1,1:2',
    ].map((text) => Buffer.from(text)),
  run: (bytes) => {
    const pairs = bytes
      .toString()
      .split('\n')
      .map((line) => [line.split('=', 1)[0]!, line.slice(line.indexOf('=') + 1)] as const)
    const refusal = validateTopicConfigs(new Map(pairs))
    return refusal === undefined ? 'taken' : kindOf(refusal.message)
  },
}

/** A condition of a view, then a value. */
const scalars: Target = {
  name: 'json-scalars',
  seeds: () =>
    ['/a/0/b="x"|{"a":[{"b":"x"}]}', '#/a%3Db=1.0|{"a=b":1e0}', '/~01=null|{"~1":null}', '=5|5'].map((text) =>
      Buffer.from(text),
    ),
  run: (bytes) => {
    const half = Math.max(0, bytes.indexOf('|'))
    const where = json.parseWhere(bytes.toString('utf8', 0, half))
    if (where === undefined) return 'no condition'
    const found = json.scalarAt(json.parseJson(bytes.subarray(half + 1)), json.parsePointer(where.pointer)!)
    if (found === undefined) return 'nothing there'
    const isSame = json.canonicalScalar(found) === json.canonicalScalar(where.scalar)
    if (isSame && json.scalarHash(found) !== json.scalarHash(where.scalar)) throw new Error('one scalar, two hashes')
    return `${typeof found} ${isSame}`
  },
}

export const edgeTargets: readonly Target[] = [
  bodies,
  questions,
  places,
  words,
  properties,
  addresses,
  topicSettings,
  scalars,
]
