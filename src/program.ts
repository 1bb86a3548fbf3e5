// The command: reads what was asked for, starts a broker, says when it is ready, and ends it in order.

import { renameSync, writeFileSync } from 'node:fs'
import { StorageError } from '../protocol/errors.ts'
import { codecsLoaded } from '../protocol/records/compression.ts'
import { announcement, type Card, readyLine, wantsColour } from './cli/card.ts'
import type { CpuProfile } from './cli/cpu-profile.ts'
import { requestLog } from './cli/request-log.ts'
import { Broker } from './embedded.ts'
import { readOrder, type StartOptions } from './options.ts'
import { packageVersion } from './package-version.ts'
import { haveV8GiveWay } from './v8-threads.ts'

const failed = 1
const unreachable = 5
const interrupted = 130

function cardOf(broker: Broker, { dataFolder }: StartOptions, version: string): Omit<Card, 'readyMs'> {
  return {
    version,
    pid: process.pid,
    nodeId: broker.nodeId,
    listeners: broker.listeners,
    http: broker.httpUrl,
    httpRefused: withoutHttp(broker),
    dataFolder,
    storage: broker.storage,
    flush: broker.flush,
    codecs: codecsLoaded(),
  }
}

/** Whoever waits for the file finds it whole. */
function writeReadyFile(path: string, { listeners, httpUrl: http }: Broker): void {
  writeFileSync(`${path}.tmp`, readyLine({ listeners, pid: process.pid, http }))
  renameSync(`${path}.tmp`, path)
}

const inUse = (address: string, flag: string): string =>
  `${address} is in use by another program. Stop it, or choose another port: ${flag} N (0 is any free one).`

/** Why there is no HTTP interface, though nobody has said that there should be none. */
function withoutHttp({ httpRefused }: Broker): string | undefined {
  if (httpRefused === undefined) return undefined
  const { code, address, port } = httpRefused as NodeJS.ErrnoException & { address?: string; port?: number }
  return code === 'EADDRINUSE' ? inUse(`${address}:${port}`, '--http-port') : httpRefused.message
}

/** `httpPort`: where HTTP was to be. */
function explain(cause: unknown, httpPort?: number): { message: string; code: number } {
  const { code, message, address, port } = cause as NodeJS.ErrnoException & { address?: string; port?: number }
  if (code === 'EADDRINUSE') {
    return { message: inUse(`${address}:${port}`, port === httpPort ? '--http-port' : '--port'), code: unreachable }
  }
  if (code === 'EACCES' && port !== undefined) {
    return {
      message: `Port ${port} is not allowed for this user; choose one above 1023 with --port N.`,
      code: unreachable,
    }
  }
  if (cause instanceof StorageError) return { message, code: failed }
  return { message: cause instanceof Error ? (cause.stack ?? message) : String(cause), code: failed }
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

/** The first signal drains and flushes; a second one does not wait. */
function stopOnSignal(broker: Broker, profile: CpuProfile | undefined): void {
  let stopping = false
  const stop = () => {
    if (stopping) process.exit(interrupted)
    stopping = true
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
  process.on('SIGTERM', stop).on('SIGINT', stop)
}

async function start(options: StartOptions, version: string): Promise<void> {
  for (const warning of options.warnings) console.error(`twiglog: ${warning}`)
  const { config, settings, listeners, dataFolder, http, json, compatLogs } = options
  const storage = config.string('storage') as 'mapped' | 'plain' | 'memory'
  const data = dataFolder === undefined ? {} : { data: dataFolder }
  const log = options.requestLog === undefined ? {} : { onRequest: requestLog(options.requestLog) }
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
  if (options.readyFile !== undefined) writeReadyFile(options.readyFile, broker)
  const card = { ...cardOf(broker, options, version), readyMs }
  const isTerminal = process.stdout.isTTY === true
  process.stdout.write(
    announcement(card, { json, compatLogs, isTerminal, colour: wantsColour(process.env, isTerminal) }),
  )
  haveV8GiveWay()
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
      const { check } = await import('./cli/check.ts')
      process.exitCode = await check(order.folder, { json: order.json }, console.log)
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
