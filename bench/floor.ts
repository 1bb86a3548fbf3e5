// What a broker is put beside that does nothing: a program that says its port and then only takes requests.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { adopt } from './children.ts'
import { freshDataFolder } from './home.ts'
import type { RunningPeer } from './peers.ts'

/** Starts one that prints its port first; `command` is told the folder of its own. */
export async function openFloor(
  name: string,
  command: (folder: string) => readonly [string, ...string[]],
): Promise<RunningPeer> {
  const dataFolder = freshDataFolder(name)
  const [program, ...args] = command(dataFolder)
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = adopt(child)
  const [said] = await once(child.stdout, 'data')
  const stop = async () => {
    child.kill('SIGKILL')
    await ended
  }
  const prepare = () => Promise.reject(new Error('it is no broker that could be started as one'))
  const peer = { name, version: '', prepare }
  return { peer, port: Number(said), pid: child.pid!, dataFolder, readyMs: 0, pause: stop, kill: stop, stop }
}
