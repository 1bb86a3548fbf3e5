// Keeps two brokers from one data directory: a file that names the process which has it.

import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { StorageError } from '../../protocol/errors.ts'

const fileName = 'lock'

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === 'EPERM'
  }
  try {
    // After a reboot the number may belong to something else.
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('node')
  } catch {
    return true
  }
}

/** Takes the directory; StorageError EBUSY where another living process has it. Answers how to give it back. */
export function lockDirectory(root: string): () => void {
  const path = join(root, fileName)
  for (let attempt = 0; ; attempt++) {
    try {
      writeFileSync(path, `${process.pid}\n`, { flag: 'wx' })
      return () => rmSync(path, { force: true })
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'EEXIST' || attempt > 0) throw cause
    }
    const pid = Number.parseInt(readFileSync(path, 'utf8'), 10)
    if (pid !== process.pid && pid > 0 && isAlive(pid)) {
      throw new StorageError('EBUSY', `${root} is in use by process ${pid}; stop it, or name another --data directory.`)
    }
    if (pid === process.pid) throw new StorageError('EBUSY', `${root} is in use by another broker of this process.`)
    rmSync(path, { force: true })
  }
}
