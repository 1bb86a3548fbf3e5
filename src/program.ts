// The command: reads what was asked for, starts a broker, says when it is ready, and ends it in order.

import { codecsLoaded } from '../protocol/records/compression.ts'
import { announcement, type Card, readyLine, wantsColour } from './cli/card.ts'
import type { CpuProfile } from './cli/cpu-profile.ts'
import { clearReadyFile, writeReadyFile } from './cli/ready-file.ts'
import { requestLog } from './cli/request-log.ts'
import { explain, withoutHttp } from './cli/start-failure.ts'
import { stopper } from './cli/stop-signals.ts'
import { Broker } from './embedded.ts'
import { readOrder, type StartOptions } from './options.ts'
import { packageVersion } from './package-version.ts'
import { collectAlone, collectSeldom, haveV8GiveWay } from './v8-threads.ts'

const failed = 1
const interrupted = 130

function cardOf(broker: Broker, { dataFolder }: StartOptions, version: string): Omit<Card, 'readyMs'> {
  return {
    version,
    pid: process.pid,
    nodeId: broker.nodeId,
    listeners: broker.listeners,
    http: broker.httpUrl,
    httpRefused: withoutHttp(broker.httpRefused),
    dataFolder,
    storage: broker.storage,
    flush: broker.flush,
    codecs: codecsLoaded(),
  }
}

/** Does what needs a file that somebody named; where that cannot be written, nothing is started. */
function withFile<T>(flag: string, path: string | undefined, use: (path: string) => T): T | undefined {
  if (path === undefined) return undefined
  try {
    return use(path)
  } catch (cause) {
    console.error(`twiglog: ${flag} cannot be written: ${(cause as Error).message}`)
    process.exit(failed)
  }
}

/** What cannot be written is said, and is no reason to fail. */
async function writeProfile(profile: CpuProfile, goesOn: boolean): Promise<void> {
  try {
    console.error(`twiglog: CPU profile written to ${await profile.write(goesOn)}`)
  } catch (cause) {
    console.error(`twiglog: the CPU profile cannot be written: ${(cause as Error).message}`)
  }
}

async function profiling(path: string): Promise<CpuProfile> {
  const { CpuProfile } = await import('./cli/cpu-profile.ts')
  const profile = await CpuProfile.begin(path)
  if (process.platform !== 'win32') process.on('SIGUSR2', () => void writeProfile(profile, true))
  return profile
}

/** A terminal that is closed (SIGHUP) may say so more than once. */
function stopOnSignal(broker: Broker, profile: CpuProfile | undefined): void {
  const stop = () => {
    const stopped = broker.stop()
    const written = profile === undefined ? stopped : stopped.finally(() => writeProfile(profile, false))
    written.then(
      () => process.exit(0),
      (cause: unknown) => {
        console.error(`twiglog: the stop was not clean: ${explain(cause).message}`)
        process.exit(failed)
      },
    )
  }
  const { ask, insist } = stopper(
    () => performance.now(),
    stop,
    () => process.exit(interrupted),
  )
  process.on('SIGTERM', insist).on('SIGINT', insist).on('SIGHUP', ask)
}

async function start(options: StartOptions, version: string): Promise<void> {
  for (const warning of options.warnings) console.error(`twiglog: ${warning}`)
  const { config, settings, listeners, dataFolder, http, json, compatLogs } = options
  const storage = config.string('storage') as 'mapped' | 'plain' | 'memory'
  const data = dataFolder === undefined ? {} : { data: dataFolder }
  withFile('--ready-file', options.readyFile, clearReadyFile)
  const onRequest = withFile('--request-log', options.requestLog, requestLog)
  const log = onRequest === undefined ? {} : { onRequest }
  const profile = options.cpuProfile === undefined ? undefined : await profiling(options.cpuProfile)
  let broker: Broker
  try {
    broker = await Broker.start({ listeners, settings, storage, http: http ?? false, ...data, ...log })
  } catch (cause) {
    const { message, code } = explain(cause, http?.port)
    console.error(`twiglog: ${message}`)
    process.exit(code)
  }
  stopOnSignal(broker, profile)
  const readyMs = performance.now()
  const card = { ...cardOf(broker, options, version), readyMs }
  withFile('--ready-file', options.readyFile, (path) => writeReadyFile(path, readyLine(card)))
  const isTerminal = process.stdout.isTTY === true
  process.stdout.write(
    announcement(card, { json, compatLogs, isTerminal, colour: wantsColour(process.env, isTerminal) }),
  )
  haveV8GiveWay()
  collectAlone()
  collectSeldom()
}

/** `words`: the command line, without node and the file. */
export async function run(words: readonly string[]): Promise<void> {
  // Whoever read our output may go; the broker stays.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})

  const version = packageVersion()
  const order = await readOrder(words, {
    environment: process.env,
    currentFolder: process.cwd(),
    version,
  })
  switch (order.kind) {
    case 'start':
      await start(order.options, version)
      break
    case 'check': {
      const [{ check }, { terminal }] = await Promise.all([import('./cli/check.ts'), import('./cli/terminal.ts')])
      process.exitCode = await check(order.folder, { json: order.json }, terminal.out, terminal.err)
      break
    }
    case 'branch': {
      const [{ runBranch }, { terminal }] = await Promise.all([
        import('./cli/branch/run.ts'),
        import('./cli/terminal.ts'),
      ])
      process.exitCode = await runBranch(order.order, terminal)
      break
    }
    case 'rev': {
      const [{ runRev }, { terminal }] = await Promise.all([import('./cli/rev/run.ts'), import('./cli/terminal.ts')])
      process.exitCode = await runRev(order.order, terminal)
      break
    }
    case 'exit':
      process.stdout.write(order.stdout)
      process.stderr.write(order.stderr)
      process.exitCode = order.code
  }
}
