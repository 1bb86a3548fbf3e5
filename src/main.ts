#!/usr/bin/env node
// The command: reads what was asked for, starts a broker, says when it is ready, and ends it in order.

import { renameSync, writeFileSync } from 'node:fs'
import { StorageError } from '../protocol/errors.ts'
import { codecsLoaded } from '../protocol/records/compression.ts'
import { announcement, type Card, readyLine, wantsColour } from './cli/card.ts'
import { requestLog } from './cli/request-log.ts'
import { Broker } from './embedded.ts'
import { packageVersion, readOrder, type StartOptions } from './options.ts'

const failed = 1
const unreachable = 5
const interrupted = 130

function cardOf(broker: Broker, { dataFolder }: StartOptions, version: string): Omit<Card, 'readyMs'> {
  return {
    version,
    pid: process.pid,
    nodeId: broker.nodeId,
    listeners: broker.listeners,
    dataFolder,
    storage: broker.storage,
    flush: broker.flush,
    codecs: codecsLoaded(),
  }
}

/** Whoever waits for the file finds it whole. */
function writeReadyFile(path: string, { listeners }: Broker): void {
  writeFileSync(`${path}.tmp`, readyLine({ listeners, pid: process.pid }))
  renameSync(`${path}.tmp`, path)
}

function explain(cause: unknown): { message: string; code: number } {
  const { code, message, address, port } = cause as NodeJS.ErrnoException & { address?: string; port?: number }
  if (code === 'EADDRINUSE') {
    const text = `${address}:${port} is in use by another program. Stop it, or choose another port: --port N (0 is any free one).`
    return { message: text, code: unreachable }
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

/** The first signal drains and flushes; a second one does not wait. */
function stopOnSignal(broker: Broker): void {
  let stopping = false
  const stop = () => {
    if (stopping) process.exit(interrupted)
    stopping = true
    broker.stop().then(
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
  const { config, settings, listeners, dataFolder, json, compatLogs } = options
  const storage = config.string('storage') as 'mapped' | 'plain' | 'memory'
  const data = dataFolder === undefined ? {} : { data: dataFolder }
  const log = options.requestLog === undefined ? {} : { onRequest: requestLog(options.requestLog) }
  let broker: Broker
  try {
    broker = await Broker.start({ listeners, settings, storage, ...data, ...log })
  } catch (cause) {
    const { message, code } = explain(cause)
    console.error(`twiglog: ${message}`)
    process.exit(code)
  }
  stopOnSignal(broker)
  const readyMs = performance.now()
  if (options.readyFile !== undefined) writeReadyFile(options.readyFile, broker)
  const card = { ...cardOf(broker, options, version), readyMs }
  const isTerminal = process.stdout.isTTY === true
  process.stdout.write(
    announcement(card, { json, compatLogs, isTerminal, colour: wantsColour(process.env, isTerminal) }),
  )
}

// Whoever read our output may go; the broker stays.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})

const version = packageVersion()
const order = await readOrder(process.argv.slice(2), {
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
  case 'exit':
    process.stdout.write(order.stdout)
    process.stderr.write(order.stderr)
    process.exitCode = order.code
}
