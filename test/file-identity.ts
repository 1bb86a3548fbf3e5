// Tells whether a file is the one that somebody has looked at before, and as it was then, whatever its names are by now.

import { statSync } from 'node:fs'

/** A second name changes the time of the inode, and is no change. Of a file that a process has mapped it is good only when that has ended. */
export function identityOf(path: string): string {
  const { dev, ino, size, mtimeNs, birthtimeNs } = statSync(path, { bigint: true })
  return `${dev} ${ino} ${size} ${mtimeNs} ${birthtimeNs}`
}
