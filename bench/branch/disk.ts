// What a folder takes on the disk, as `du` counts it: blocks, and a file with several names once. A fork gives files second
// names; whoever sums up sizes counts them twice.
import { lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

const blockBytes = 512

export function diskBytes(folder: string): number {
  const seen = new Set<number>()
  let blocks = 0
  const visit = (path: string) => {
    const found = lstatSync(path, { throwIfNoEntry: false }) // the broker may have removed it meanwhile
    if (found === undefined || seen.has(found.ino)) return
    seen.add(found.ino)
    blocks += found.blocks
    if (found.isDirectory()) for (const name of readdirSync(path)) visit(join(path, name))
  }
  visit(folder)
  return blocks * blockBytes
}
