// From words, variables and files to options: who wins, what is unknown, what is refused.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { optionName, settingsFromEnvironment, settingsFromProperties, unknownNames } from '../src/cli/settings.ts'
import { readOrder, type StartOptions } from '../src/options.ts'
import { packageVersion } from '../src/package-version.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'twiglog-options-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

type Variables = Record<string, string>
const order = (argv: string[], environment: Variables = {}) =>
  readOrder(argv, { environment, currentFolder: folder, version: '1.2.3' })

async function start(argv: string[], environment: Variables = {}): Promise<StartOptions> {
  const given = await order(argv, environment)
  if (given.kind !== 'start') throw new Error(JSON.stringify(given))
  return given.options
}

async function refused(argv: string[], environment: Variables = {}): Promise<string> {
  const given = await order(argv, environment)
  expect(given).toMatchObject({ kind: 'exit', code: 2, stdout: '' })
  return given.kind === 'exit' ? given.stderr : ''
}

function properties(text: string): string {
  const path = join(folder, 'server.properties')
  writeFileSync(path, text)
  return path
}

describe('the command line', () => {
  test('without a word everything is at its default: the loopback address, data where we stand', async () => {
    for (const argv of [[], ['start']]) {
      const options = await start(argv)
      expect(options).toMatchObject({
        dataFolder: join(folder, '.twiglog'),
        json: false,
        compatLogs: false,
        warnings: [],
      })
      expect(options.readyFile).toBeUndefined()
      expect(options.listeners).toMatchObject([{ name: 'PLAINTEXT', host: '127.0.0.1', port: 9092 }])
      // Nobody has asked for this port: where it is taken the broker goes without.
      expect(options.http).toEqual({ port: 8080, orNone: true })
    }
  })

  test('where HTTP is, if it is', async () => {
    expect((await start(['--http-port', '0'])).http).toEqual({ port: 0 })
    expect((await start(['--set', 'http.port=8080'])).http).toEqual({ port: 8080 })
    expect((await start([], { KAFKA_HTTP_PORT: '8081' })).http).toEqual({ port: 8081 })
    for (const words of [['--no-http'], ['start', '--no-http'], ['--no-http', 'start']])
      expect((await start(words)).http).toBeUndefined()
    expect((await start(['--no-http'], { KAFKA_HTTP_PORT: '8081' })).http).toBeUndefined()
    expect((await start(['--set', 'http.port=-1'])).http).toBeUndefined()
    const refusal = await order(['--no-http', '--http-port', '0'])
    expect(refusal).toMatchObject({ kind: 'exit', code: 2, stderr: expect.stringContaining('contradict') })
    expect(await order(['--http-port', '70000'])).toMatchObject({ kind: 'exit', code: 2 })
  })

  test('an address of IPv6 as it is, and as it stands in a URL', async () => {
    for (const host of ['::1', '[::1]']) {
      expect((await start(['--host', host, '--port', '0'])).listeners).toMatchObject([{ host: '::1', port: 0 }])
    }
  })

  test('every flag, before and after the command', async () => {
    const flags = [
      '--port',
      '0',
      '--host',
      '::1',
      '--data',
      'here',
      '--ready-file',
      'r',
      '--request-log',
      'asked',
      '--json',
      '--compat-logs',
      '--no-http',
    ]
    for (const argv of [flags, ['start', ...flags], [...flags, 'start']]) {
      const options = await start(argv)
      expect(options).toMatchObject({
        dataFolder: join(folder, 'here'),
        readyFile: join(folder, 'r'),
        requestLog: join(folder, 'asked'),
        json: true,
        compatLogs: true,
      })
      expect(options.listeners).toMatchObject([
        { host: '::1', port: 0, advertisedHost: '::1', advertisedPort: undefined },
      ])
    }
  })

  test('in memory there is no folder', async () => {
    const options = await start(['--memory'])
    expect(options.dataFolder).toBeUndefined()
    expect(options.config.string('storage')).toBe('memory')
  })

  test('--set may be repeated, and its value may hold anything', async () => {
    const { config } = await start([
      '--set',
      'num.partitions=3',
      '--set',
      'ssl.key.password=a=b',
      '--set=min.insync.replicas=2',
    ])
    expect(config.number('num.partitions')).toBe(3)
    expect(config.string('ssl.key.password')).toBe('a=b')
    expect(config.origin('num.partitions')).toBe('command line')
  })

  test('help and version go to standard output and end well', async () => {
    expect(await order(['--version'])).toEqual({ kind: 'exit', code: 0, stdout: '1.2.3\n', stderr: '' })
    for (const argv of [['--help'], ['start', '--help']]) {
      const help = await order(argv)
      expect(help).toMatchObject({ kind: 'exit', code: 0, stderr: '' })
      expect(help.kind === 'exit' && help.stdout).toMatch(/--ready-file <file>/)
    }
  })

  test('check takes a folder', async () => {
    expect(await order(['check', 'd'])).toEqual({ kind: 'check', folder: join(folder, 'd'), json: false })
    expect(await refused(['check'])).toMatch(/missing required argument/)
  })

  test('the version of the package is found', () => expect(packageVersion()).toMatch(/^\d+\.\d+\.\d+/))

  const table: [argv: string[], words: RegExp][] = [
    [['--port', 'x'], /A port is a number from 0 to 65535/],
    [['--port', '65536'], /A port is a number from 0 to 65535/],
    [['--brokers', '0'], /1 to 100 are possible/],
    [['--brokers', '3', '--port', '65534'], /65534 to 65536, one for each of 3 brokers; 65535 is the last/],
    [
      [
        '--brokers',
        '3',
        '--set',
        'listeners=A://:9092,B://:9094',
        '--set',
        'listener.security.protocol.map=A:PLAINTEXT,B:PLAINTEXT',
      ],
      /Listener A takes the ports 9092 to 9094, one for each of 3 brokers; B begins at 9094/,
    ],
    [['--set', 'x'], /name=value is expected/],
    [['--data', 'd', '--memory'], /cannot be used with/],
    [['--prot', '1'], /unknown option '--prot'[\s\S]*Did you mean --port/],
    [['strat'], /there is no command 'strat'\. Did you mean start\?/],
    [['dance'], /there is no command 'dance'\. Try/],
    [['start', 'x'], /too many arguments/],
    [['--config', 'missing.properties'], /missing\.properties cannot be read: ENOENT/],
    [['--port', '1', '--set', 'listeners=PLAINTEXT://:2'], /--port and --set listeners say the same thing twice/],
    [['--set', 'message.max.bytes=x'], /Not a number of type INT \(from the command line\)/],
    [['--set', 'listeners=SSL://:9093'], /SSL, which is not available yet/],
  ]
  test.each(table)('%j is refused', async (argv, words) => expect(await refused(argv)).toMatch(words))
})

describe('who wins', () => {
  test('command line before environment before file before default', async () => {
    const file = properties('num.partitions=2\nmessage.max.bytes=2\nlog.segment.bytes=2097152\n')
    const variables = { KAFKA_NUM_PARTITIONS: '3', KAFKA_MESSAGE_MAX_BYTES: '3' }
    const { config } = await start(['--config', file, '--set', 'num.partitions=4'], variables)
    expect([config.number('num.partitions'), config.origin('num.partitions')]).toEqual([4, 'command line'])
    expect([config.number('message.max.bytes'), config.origin('message.max.bytes')]).toEqual([
      3,
      'environment, KAFKA_MESSAGE_MAX_BYTES',
    ])
    expect([config.number('log.segment.bytes'), config.origin('log.segment.bytes')]).toEqual([
      2_097_152,
      'file server.properties',
    ])
    expect(config.origin('fetch.max.bytes')).toBe('default')
  })

  test('the folder: --data, then log.dirs, then log.dir', async () => {
    expect((await start([], { KAFKA_LOG_DIR: '/a' })).dataFolder).toBe('/a')
    expect((await start([], { KAFKA_LOG_DIR: '/a', KAFKA_LOG_DIRS: '/b' })).dataFolder).toBe('/b')
    expect((await start(['--data', '/c'], { KAFKA_LOG_DIRS: '/b' })).dataFolder).toBe('/c')
    expect((await start(['--data', '/c'], { KAFKA_STORAGE: 'memory' })).dataFolder).toBe('/c')
    const several = await start(['--set', 'log.dirs=/a,/b'])
    expect([several.dataFolder, several.warnings]).toEqual(['/a', ['Of 2 log.dirs only the first is used.']])
  })

  test('advertised addresses alone open their ports on every address', async () => {
    const { listeners } = await start([], { KAFKA_ADVERTISED_LISTENERS: 'PLAINTEXT://localhost:29092' })
    expect(listeners).toMatchObject([
      { host: '0.0.0.0', port: 29_092, advertisedHost: 'localhost', advertisedPort: 29_092 },
    ])
  })
})

describe('variables', () => {
  const table: [variable: string, name: string | undefined][] = [
    ['KAFKA_LOG_RETENTION_MS', 'log.retention.ms'],
    ['KAFKA_A__B', 'a_b'],
    ['KAFKA_A___B', 'a-b'],
    ['KAFKA_A____B', 'a-.b'],
    ['KAFKA_CFG_NUM_PARTITIONS', 'num.partitions'],
    [
      'KAFKA_LISTENER_NAME_SECURE_SCRAM-SHA-256_SASL_JAAS_CONFIG',
      'listener.name.secure.scram-sha-256.sasl.jaas.config',
    ],
    ['KAFKA_HEAP_OPTS', undefined],
    ['KAFKA_LOG4J_ROOT_LOGLEVEL', undefined],
    ['KAFKA_OPTS', undefined],
    ['KAFKA_', undefined],
    ['PATH', undefined],
    ['MY_KAFKA_X', undefined],
  ]
  test.each(table)('%s is %s', (variable, name) => expect(optionName(variable)).toBe(name))

  test('the id of the cluster comes by several names', () => {
    for (const variable of ['CLUSTER_ID', 'KAFKA_CLUSTER_ID', 'KAFKA_KRAFT_CLUSTER_ID']) {
      const settings = settingsFromEnvironment({ [variable]: '4L6g3nShT-eMCtK--X86sw' })
      expect([...settings].map(([name, { value }]) => [name, value])).toEqual([
        ['cluster.id', '4L6g3nShT-eMCtK--X86sw'],
      ])
    }
  })

  test('what the container modules set starts a broker without a word of warning', async () => {
    const { warnings, listeners, config } = await start([], {
      CLUSTER_ID: '4L6g3nShT-eMCtK--X86sw',
      KAFKA_NODE_ID: '1',
      KAFKA_BROKER_ID: '1',
      KAFKA_PROCESS_ROLES: 'broker,controller',
      KAFKA_LISTENERS: 'PLAINTEXT://0.0.0.0:9092,BROKER://0.0.0.0:9093,CONTROLLER://0.0.0.0:9094',
      KAFKA_ADVERTISED_LISTENERS: 'PLAINTEXT://localhost:32771,BROKER://9f1c:9093',
      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'BROKER:PLAINTEXT,PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
      KAFKA_INTER_BROKER_LISTENER_NAME: 'BROKER',
      KAFKA_CONTROLLER_LISTENER_NAMES: 'CONTROLLER',
      KAFKA_CONTROLLER_QUORUM_VOTERS: '1@localhost:9094',
      KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: '1',
      KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS: '1',
      KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR: '1',
      KAFKA_TRANSACTION_STATE_LOG_MIN_ISR: '1',
      KAFKA_LOG_FLUSH_INTERVAL_MESSAGES: '9223372036854775807',
      KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS: '0',
      KAFKA_LOG_DIRS: '/var/lib/kafka/data',
      KAFKA_ZOOKEEPER_CONNECT: 'localhost:2181',
    })
    expect(warnings).toEqual([])
    expect(listeners.map(({ name, role }) => `${name} ${role}`)).toEqual([
      'PLAINTEXT client',
      'BROKER client',
      'CONTROLLER controller',
    ])
    expect(config.string('cluster.id')).toBe('4L6g3nShT-eMCtK--X86sw')
    expect(config.value('log.flush.interval.messages')).toBe(0x7fff_ffff_ffff_ffffn)
  })
})

describe('files', () => {
  test('are read as Java reads properties', async () => {
    const text =
      '# words\n! more\nnum.partitions = 3\nlog.dirs:/a\\u0062\nmessage.max.bytes 5\nlisteners=PLAINTEXT://:1,\\\n  SSL://:2\nempty=\n'
    const settings = await settingsFromProperties(text, 'f')
    expect([...settings].map(([name, { value }]) => `${name}=${value}`)).toEqual([
      'num.partitions=3',
      'log.dirs=/ab',
      'message.max.bytes=5',
      'listeners=PLAINTEXT://:1,SSL://:2',
      'empty=',
    ])
  })
})

describe('unknown names', () => {
  const warningsFor = (...names: string[]) =>
    unknownNames(new Map(names.map((name) => [name, { value: '', origin: 'file f' }])))

  test('are warned of once, with what was perhaps meant', () => {
    expect(warningsFor('num.partitons')).toEqual([
      'Unknown option num.partitons (file f). Did you mean num.partitions?',
    ])
    expect(warningsFor('retention.ms')[0]).toMatch(
      /configuration of topics; the option that sets its default is log\.retention\.ms/,
    )
    expect(warningsFor('something.else.entirely')).toEqual(['Unknown option something.else.entirely (file f).'])
  })

  test('are silent where they belong to an older Kafka, a plug-in or a listener', () => {
    expect(
      warningsFor(
        'zookeeper.connect',
        'inter.broker.protocol.version',
        'listener.name.a.ssl.keystore.location',
        'rsm.config.x',
      ),
    ).toEqual([])
  })

  test('stop a start only where that is asked for', async () => {
    const variables = { KAFKA_NUM_PARTITONS: '3' }
    expect((await start([], variables)).warnings).toHaveLength(1)
    expect(await refused(['--strict-config'], variables)).toMatch(/Unknown option num\.partitons/)
  })
})
