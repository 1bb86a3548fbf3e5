// A real file system of a few megabytes, so that a test can fill it: where one may be mounted.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export type SmallDisk = { path: string; remove: () => void }

/** At `path`, a folder that is there, or somewhere; undefined where none may be mounted here. */
export function smallDisk(
  megabytes: number,
  path = mkdtempSync(join(tmpdir(), 'twiglog-small-')),
): SmallDisk | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return undefined
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', path], { stdio: 'ignore' })
  } catch {
    rmSync(path, { recursive: true, force: true })
    return undefined
  }
  const remove = () => {
    execFileSync('umount', ['-l', path], { stdio: 'ignore' })
    rmSync(path, { recursive: true, force: true })
  }
  return { path, remove }
}

/** Whether there can be one. */
export function canMount(): boolean {
  const probe = smallDisk(1)
  probe?.remove()
  return probe !== undefined
}

/** Takes all the room that is left, in a file of its own. */
export function fillUp({ path }: SmallDisk, name: string): void {
  for (const bytes of [1 << 20, 4096]) {
    try {
      for (let i = 0; ; i++) writeFileSync(join(path, `${name}-${bytes}-${i}`), Buffer.alloc(bytes), { flag: 'wx' })
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'ENOSPC') throw cause
    }
  }
  const { bavail } = statfsSync(path)
  if (bavail > 0) throw new Error(`${bavail} blocks are still free`)
}
