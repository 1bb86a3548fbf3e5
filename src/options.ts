// The command line, the environment and a file become one set of options: command line before environment before file
// before default.

import { readFileSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { Refusal } from '../protocol/errors.ts'
import { BrokerConfig, type Setting, validateBrokerConfigs } from './broker/broker-config.ts'
import { branchCommand } from './cli/branch/branch-words.ts'
import type { BranchOrder } from './cli/branch/order.ts'
import { Misuse } from './cli/misuse.ts'
import type { RevOrder } from './cli/rev/order.ts'
import { revCommand } from './cli/rev/rev-words.ts'
import {
  type Environment,
  nearest,
  type Settings,
  settingsFromEnvironment,
  settingsFromProperties,
  unknownNames,
} from './cli/settings.ts'
import type { HttpOptions } from './http-port.ts'
import { type Listener, listenersFromAdvertised, listenersOf } from './net/listener.ts'

export type StartOptions = {
  readonly config: BrokerConfig
  /** What config was made from. */
  readonly settings: ReadonlyMap<string, Setting>
  readonly listeners: readonly Listener[]
  /** Absolute; undefined: everything is kept in memory. */
  readonly dataFolder: string | undefined
  readonly readyFile: string | undefined
  readonly requestLog: string | undefined
  readonly cpuProfile: string | undefined
  /** Undefined: none. */
  readonly http: HttpOptions | undefined
  readonly json: boolean
  readonly compatLogs: boolean
  /** One sentence each, for standard error. */
  readonly warnings: readonly string[]
}

/** What the command line asks for. */
export type Order =
  | { readonly kind: 'start'; readonly options: StartOptions }
  | { readonly kind: 'check'; readonly folder: string; readonly json: boolean }
  | { readonly kind: 'branch'; readonly order: BranchOrder }
  | { readonly kind: 'rev'; readonly order: RevOrder }
  /** Help, version, or words we do not understand. */
  | { readonly kind: 'exit'; readonly code: number; readonly stdout: string; readonly stderr: string }

/** What is outside: given in, so that tests need no process. */
export type World = {
  readonly environment: Environment
  readonly currentFolder: string
  readonly version: string
}

/** Exit code for words that make no sense. */
const usage = 2
const defaultHost = '127.0.0.1'
const defaultPort = 9092
const defaultHttpPort = 8080

type Flags = {
  port?: number
  host?: string
  data?: string
  memory?: true
  brokers?: number
  readyFile?: string
  requestLog?: string
  cpuProfile?: string
  httpPort?: number
  /** Commander's word for --no-http: false where it is given. */
  http?: boolean
  set?: [string, string][]
  config?: string
  json?: true
  strictConfig?: true
  compatLogs?: true
}

/** `argv` without node and script. */
export async function readOrder(argv: readonly string[], world: World): Promise<Order> {
  let stdout = ''
  let stderr = ''
  let order: Order | undefined
  const program = commandLine(world.version, (given) => {
    order = given
  })
  const output = {
    writeOut: (text: string) => {
      stdout += text
    },
    writeErr: (text: string) => {
      stderr += text
    },
  }
  for (const command of allOf(program)) command.exitOverride().configureOutput(output)
  try {
    await program.parseAsync([...argv], { from: 'user' })
  } catch (cause) {
    if (cause instanceof CommanderError) {
      return { kind: 'exit', code: cause.exitCode === 0 ? 0 : usage, stdout, stderr }
    }
    if (cause instanceof Misuse)
      return { kind: 'exit', code: usage, stdout, stderr: `${stderr}twiglog: ${cause.message}\n` }
    throw cause
  }
  return order ?? { kind: 'exit', code: usage, stdout, stderr }

  function commandLine(version: string, give: (order: Order) => void): Command {
    const start = async (_: unknown, command: Command) => {
      const [word] = command.args
      if (word !== undefined)
        throw new Misuse(`there is no command '${word}'.${meant(word, command)} Try twiglog --help.`)
      // A flag that is true unless somebody says otherwise: the silence of the one is not to hide the word of the other.
      const http = ![command, command.parent].some((of) => of?.opts<Flags>().http === false)
      const options = await startOptions({ ...command.optsWithGlobals<Flags>(), http }, world)
      give({ kind: 'start', options })
    }
    const root = withStartFlags(new Command('twiglog'))
      // What stands behind a command is that command's: --set of a branch is no option of the broker.
      .enablePositionalOptions()
      .description('A broker that speaks the Kafka wire protocol and keeps its log in memory-mapped segments.')
      .version(version, '-V, --version', 'print the version')
      .helpOption('-h, --help', 'print this help')
      .addHelpText('after', examples)
      .action(start)
    withStartFlags(root.command('start').description('start a broker (as without a command)')).action(start)
    root
      .command('check')
      .argument('<folder>', 'a data folder that no broker is using')
      .description('verify a data folder and print what is wrong')
      .option('--json', 'print findings as JSON, one a line')
      .action((folder: string, _: unknown, command: Command) => {
        const { json = false } = command.optsWithGlobals<Flags>()
        give({ kind: 'check', folder: resolve(world.currentFolder, folder), json })
      })
    root.addCommand(branchCommand((order) => give({ kind: 'branch', order })))
    root.addCommand(revCommand((order) => give({ kind: 'rev', order })))
    return root.allowExcessArguments(true) // Refused by start, in better words.
  }
}

const allOf = (command: Command): Command[] => [command, ...command.commands.flatMap(allOf)]

function meant(word: string, { commands }: Command): string {
  const near = nearest(
    word,
    commands.map((command) => command.name()),
  )
  return near === undefined ? '' : ` Did you mean ${near}?`
}

const examples = `
Options of the broker can also come from KAFKA_ variables (KAFKA_LOG_RETENTION_MS is log.retention.ms).

Examples:
  twiglog                                  data in ./.twiglog, clients at 127.0.0.1:9092
  twiglog --memory --port 0 --json         for a test: any free port, nothing on disk
  twiglog --brokers 3                      a cluster of three nodes, at 9092, 9093 and 9094
  twiglog --set num.partitions=3           any option of server.properties
`

function withStartFlags(command: Command): Command {
  return command
    .addOption(
      new Option('--port <port>', `port for clients; 0 is any free one (default: ${defaultPort})`).argParser(port),
    )
    .option('--host <host>', `address to listen on (default: ${defaultHost})`)
    .addOption(new Option('--data <folder>', 'folder for all data (default: ./.twiglog)').conflicts('memory'))
    .option('--memory', 'keep everything in memory: nothing touches the disk')
    .addOption(
      new Option(
        '--brokers <count>',
        'show clients a cluster of this many nodes, on ports that follow each other',
      ).argParser(count),
    )
    .option('--ready-file <file>', 'write one line of JSON there when connections are accepted')
    .option('--request-log <file>', 'write there which API keys and versions clients use, one line of JSON for each')
    .option('--cpu-profile <file>', 'write there, at the stop and at SIGUSR2, where the CPU time went (V8 .cpuprofile)')
    .addOption(new Option('--set <name=value>', 'an option of the broker; may be repeated').argParser(assignment))
    .option('--config <file>', 'a server.properties file')
    .option('--json', 'print one line of JSON instead of the start card')
    .option('--strict-config', 'refuse to start where an option is unknown')
    .option('--compat-logs', 'on a terminal too: print the lines that test harnesses wait for')
    .addOption(
      new Option(
        '--http-port <port>',
        `port of the HTTP interface; 0 is any free one (default: ${defaultHttpPort})`,
      ).argParser(port),
    )
    .option('--no-http', 'no HTTP interface')
}

function port(text: string): number {
  const number = Number(text)
  if (!/^\d+$/.test(text) || number > 65_535) throw new InvalidArgumentError('A port is a number from 0 to 65535.')
  return number
}

function count(text: string): number {
  const number = Number(text)
  if (!/^\d+$/.test(text) || number < 1 || number > 100) throw new InvalidArgumentError('1 to 100 are possible.')
  return number
}

function assignment(text: string, earlier: [string, string][] = []): [string, string][] {
  const [, name, value] = /^([^=]+)=(.*)$/s.exec(text) ?? []
  if (name === undefined || value === undefined) throw new InvalidArgumentError('name=value is expected.')
  return [...earlier, [name.trim(), value]]
}

async function startOptions(flags: Flags, world: World): Promise<StartOptions> {
  const settings = await gather(flags, world)
  const unknown = unknownNames(settings)
  if (flags.strictConfig && unknown.length > 0) throw new Misuse(unknown.join('\ntwiglog: '))
  const refusal = validateBrokerConfigs(settings)
  if (refusal !== undefined) throw new Misuse(refusal.message)
  const config = new BrokerConfig(settings)
  const listeners = listenersOf(config)
  if (listeners instanceof Refusal) throw new Misuse(listeners.message)
  const folders = config.list(config.isSet('log.dirs') ? 'log.dirs' : 'log.dir')
  const inMemory = config.string('storage') === 'memory'
  return {
    config,
    settings,
    listeners,
    dataFolder: inMemory ? undefined : resolve(world.currentFolder, folders[0] ?? ''),
    readyFile: flags.readyFile === undefined ? undefined : resolve(world.currentFolder, flags.readyFile),
    requestLog: flags.requestLog === undefined ? undefined : resolve(world.currentFolder, flags.requestLog),
    cpuProfile: flags.cpuProfile === undefined ? undefined : resolve(world.currentFolder, flags.cpuProfile),
    http: httpOf(flags, config),
    json: flags.json ?? false,
    compatLogs: flags.compatLogs ?? false,
    warnings:
      folders.length > 1 && !inMemory ? [...unknown, `Of ${folders.length} log.dirs only the first is used.`] : unknown,
  }
}

/** Port 8080 is a wish that nobody has expressed: where it is taken the broker goes without. */
function httpOf({ http }: Flags, config: BrokerConfig): HttpOptions | undefined {
  if (http === false) return undefined
  if (!config.isSet('http.port')) return { port: defaultHttpPort, orNone: true }
  const port = config.number('http.port')
  return port < 0 ? undefined : { port }
}

/** The weakest first, so that the stronger overwrite them. */
async function gather(flags: Flags, world: World): Promise<Settings> {
  const settings: Settings = new Map([
    ...(flags.config === undefined ? [] : await fromFile(resolve(world.currentFolder, flags.config))),
    ...settingsFromEnvironment(world.environment),
    ...fromFlags(flags),
  ])
  if (flags.data !== undefined && settings.get('storage')?.value === 'memory') settings.delete('storage')
  const advertised = settings.get('advertised.listeners')
  if (advertised !== undefined && !settings.has('listeners')) {
    settings.set('listeners', { value: listenersFromAdvertised(advertised.value), origin: advertised.origin })
  }
  return settings
}

async function fromFile(path: string): Promise<Settings> {
  try {
    return await settingsFromProperties(readFileSync(path, 'utf8'), basename(path))
  } catch (cause) {
    throw new Misuse(`--config ${path} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`)
  }
}

function fromFlags(flags: Flags): Settings {
  const origin = 'command line'
  const settings: Settings = new Map(flags.set?.map(([name, value]) => [name, { value, origin }]))
  const put = (flag: string, name: string, value: string) => {
    if (settings.has(name)) throw new Misuse(`${flag} and --set ${name} say the same thing twice: leave one out.`)
    settings.set(name, { value, origin })
  }
  if (flags.port !== undefined || flags.host !== undefined) {
    const host = (flags.host ?? defaultHost).replace(/^\[(.*)\]$/, '$1')
    const address = `${host.includes(':') ? `[${host}]` : host}:${flags.port ?? defaultPort}`
    put(flags.port === undefined ? '--host' : '--port', 'listeners', `PLAINTEXT://${address}`)
  }
  if (flags.httpPort !== undefined) {
    if (flags.http === false) throw new Misuse('--http-port and --no-http contradict each other: leave one out.')
    put('--http-port', 'http.port', String(flags.httpPort))
  }
  if (flags.data !== undefined) put('--data', 'log.dirs', flags.data)
  if (flags.brokers !== undefined) put('--brokers', 'cluster.brokers', String(flags.brokers))
  if (flags.memory) put('--memory', 'storage', 'memory')
  return settings
}
