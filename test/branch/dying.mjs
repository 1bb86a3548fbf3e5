// Loaded into a broker that writes its files by plain calls (`node --import`). The file `die-at` beside the data folder names a merge and
// a number: each write that belongs to that merge is named in `writes`, and in front of the one of that number the process dies, as by
// kill -9. The kernel has what was written before: that is what a kill leaves.

import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { dirname, join } from 'node:path'

const folder = dirname(process.argv[process.argv.indexOf('--data') + 1])
const { appendFileSync, existsSync, readFileSync, writeSync } = fs
const orders = join(folder, 'die-at')
const controlBit = 0x20
let underWay = ''
let count = 0

/** What of a merge a batch is; undefined where it is of something else. Its transaction has an id with this word in it. */
function nameOf(batch) {
  const text = batch.toString('latin1')
  const said = /"type":"(merge-begin|merge)"/.exec(text)
  if (said !== null) return said[1]
  if ((batch[22] & controlBit) !== 0) return 'marker'
  if (text.includes('branch.merge')) return 'records'
  if (text.includes('"kind":')) return 'conflict'
  return text.includes('merge') && !text.includes('"op":') ? 'transaction' : undefined
}

function look(batch) {
  if (!existsSync(orders)) return
  const [id, dieAt] = readFileSync(orders, 'utf8').split(' ')
  const name = nameOf(batch)
  if (underWay !== id && name === 'merge-begin' && batch.includes(`"id":"${id}"`)) {
    underWay = id
    count = 0
  }
  if (underWay !== id || name === undefined) return
  if (count === Number(dieAt)) process.kill(process.pid, 'SIGKILL')
  appendFileSync(join(folder, 'writes'), `${name}\n`)
  count++
}

fs.writeSync = (descriptor, bytes, ...where) => {
  if (typeof bytes !== 'string') look(Buffer.from(bytes.buffer, bytes.byteOffset + where[0], where[1]))
  return writeSync(descriptor, bytes, ...where)
}
syncBuiltinESMExports()
