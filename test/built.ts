// The broker as `npm ci` builds it, for tests that need a process of their own: built anew only where a source is newer.

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const lock = join(root, 'dist', '.building')
const fileOf = (path: string): string => join(root, 'dist', path)

function newestSource(): number {
  return ['src', 'protocol'].reduce((newest, folder) => {
    const names = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    const times = names.filter((name) => name.endsWith('.ts')).map((name) => statSync(join(root, folder, name)).mtimeMs)
    return Math.max(newest, ...times)
  }, 0)
}

const isFresh = (): boolean =>
  existsSync(fileOf('bundle/main.js')) && statSync(fileOf('bundle/main.js')).mtimeMs >= newestSource()

/** Path of a built file, such as `bundle/main.js`. Tests run side by side: one builds, the others wait for it. */
export async function built(path: string): Promise<string> {
  while (existsSync(lock) && Date.now() - statSync(lock).mtimeMs < 60_000) await pause(50)
  if (!isFresh()) {
    mkdirSync(lock, { recursive: true })
    try {
      spawnSync('npm', ['run', '--silent', 'build'], { cwd: root, stdio: 'inherit' })
    } finally {
      rmSync(lock, { recursive: true, force: true })
    }
  }
  return fileOf(path)
}
