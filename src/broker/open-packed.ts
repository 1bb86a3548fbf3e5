// How a broker opens what is packed. A file that gives everything though something is wrong with it says so once: nobody would notice.

import type { OpenPacked } from '../log/packed.ts'
import { openPack } from '../revision/open-pack.ts'

const said = new Set<string>()

export const openPacked: OpenPacked = (file) => {
  const packed = openPack(file)
  if (packed.damage !== undefined && !said.has(packed.damage)) {
    said.add(packed.damage)
    console.error(`${packed.damage}; all that it holds is served`)
  }
  return packed
}
