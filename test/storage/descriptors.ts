// What this process has open, as Linux tells it.

import { readdirSync, readlinkSync } from 'node:fs'

/** Files below a folder, once for each descriptor. */
export function openBelow(root: string): string[] {
  const targets = readdirSync('/proc/self/fd').map((name) => {
    try {
      return readlinkSync(`/proc/self/fd/${name}`)
    } catch {
      return '' // the folder itself, which was open meanwhile
    }
  })
  return targets.filter((target) => target.startsWith(root))
}
