// A peer is a broker we can start and stop; here is their common life, and twiglog itself.
import { spawn } from 'node:child_process'
import { existsSync, openSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { basename, join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { adopt } from './children.ts'
import { cacheFolder, freshDataFolder } from './home.ts'
import { isAnswering } from './wire.ts'

const startMsMax = 120_000
const stopMsMax = 180_000 // ten thousand partitions are flushed one by one

export interface Peer {
  readonly name: string
  readonly version: string
  /** Everything before the start that is not part of it, such as formatting the storage. */
  prepare(port: number, dataFolder: string): Promise<readonly [command: string, ...args: string[]]>
}

export interface RunningPeer {
  readonly peer: Peer
  readonly port: number
  readonly pid: number
  readonly dataFolder: string
  /** From just before exec to the first answered Metadata. */
  readonly readyMs: number
  /** Stops it in order; its data stays. */
  pause(): Promise<void>
  /** Ends it as kill -9 does; its data stays. */
  kill(): Promise<void>
  stop(): Promise<void>
}

export const start = (peer: Peer): Promise<RunningPeer> => startIn(peer, freshDataFolder(peer.name), false)

/** Starts another on the data of one that was killed or paused, or is stopped in order now; it stays when that one is stopped. */
export async function startAgain({ peer, dataFolder, pause }: RunningPeer): Promise<RunningPeer> {
  await pause()
  return startIn(peer, dataFolder, true)
}

async function startIn(peer: Peer, dataFolder: string, isKept: boolean): Promise<RunningPeer> {
  const port = await freePort()
  const [command, ...args] = await peer.prepare(port, dataFolder)
  const logPath = join(cacheFolder('logs'), `${basename(dataFolder)}.log`)
  const log = openSync(logPath, 'w')
  const execAt = performance.now()
  const child = spawn(command, args, { stdio: ['ignore', log, log] })
  let gone = false
  const ended = adopt(child).then(() => {
    gone = true
  })
  const pause = async () => {
    if (gone) return
    child.kill('SIGTERM')
    const killer = setTimeout(() => child.kill('SIGKILL'), stopMsMax)
    await ended
    clearTimeout(killer)
  }
  const kill = async () => {
    child.kill('SIGKILL')
    await ended
  }
  const stop = async () => {
    await pause()
    if (!isKept) rmSync(dataFolder, { recursive: true, force: true })
  }
  for (let waitedMs = 0; !(await isAnswering(port)); waitedMs = performance.now() - execAt) {
    if (gone || waitedMs > startMsMax) {
      await stop()
      throw new Error(`${peer.name} did not start:\n${readFileSync(logPath, 'utf8').slice(-2000)}`)
    }
    await sleep(Math.max(1, waitedMs / 200)) // at most half a percent too late, without taking a core from the broker
  }
  return { peer, port, pid: child.pid!, dataFolder, readyMs: performance.now() - execAt, pause, kill, stop }
}

/** A port nobody listens on; for a peer with more than one listener each is asked for apart. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no port to be had')
  return address.port
}

const ownFolder = fileURLToPath(new URL('../../', import.meta.url))

/** Twiglog as it is built in `folder` (or here), with further command line arguments; undefined where it is not built. */
export function twiglog(moreArgs: readonly string[], folder?: string): Peer | undefined {
  const root = resolve(folder ?? ownFolder)
  const mainPath = join(root, 'dist/bundle/main.js')
  if (!existsSync(mainPath)) return undefined
  return {
    name: folder ? `twiglog in ${basename(root)}` : 'twiglog',
    version: JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version,
    async prepare(port, dataFolder) {
      const args = ['start', '--port', `${port}`, '--data', join(dataFolder, 'log')]
      const ready = ['--ready-file', join(dataFolder, 'ready'), '--set', 'num.partitions=1']
      return [process.execPath, mainPath, ...args, ...ready, ...moreArgs]
    },
  }
}
