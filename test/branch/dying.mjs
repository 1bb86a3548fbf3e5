// Loaded into a broker that writes its files by plain calls (`node --import`). The file `die-at` beside the data folder names a merge, a fork
// or a promotion, and a number: whatever of it reaches the disk is named in `moments`, and in front of the one of that number the process dies, as
// by kill -9. The kernel has what was done before: that is what a kill leaves.

import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { dirname, join } from 'node:path'

const folder = dirname(process.argv[process.argv.indexOf('--data') + 1])
const { appendFileSync, existsSync, linkSync, readFileSync, renameSync, writeSync } = fs
const orders = join(folder, 'die-at')
const controlBit = 0x20
let underWay = ''
let count = 0

/**
 * What of a merge, a fork or a promotion a batch is; undefined where it is of something else. A merge's transaction has an id with this
 * word in it; groups whose commits are looked at bear the word in their names.
 */
function nameOf(batch) {
  const text = batch.toString('latin1')
  const said = /"type":"(merge-begin|merge|fork|promote|promoted)"/.exec(text)
  if (said !== null) return said[1]
  if (batch[16] === 2 && (batch[22] & controlBit) !== 0) return 'marker'
  if (text.includes('branch.merge')) return 'records'
  if (text.includes('"kind":')) return 'conflict'
  if (text.includes('committing')) return 'commit'
  return text.includes('merge') && !text.includes('"op":') ? 'transaction' : undefined
}

/** The first link is the beginning of a fork, whose id is not said before all are there. */
const isBeginning = (name, batch, id) =>
  name === 'link' || (['merge-begin', 'promote'].includes(name) && batch.includes(`"id":"${id}"`))

function look(name, batch) {
  if (name === undefined || !existsSync(orders)) return
  const [id, dieAt] = readFileSync(orders, 'utf8').split(' ')
  if (underWay !== id && isBeginning(name, batch, id)) {
    underWay = id
    count = 0
  }
  if (underWay !== id) return
  if (count === Number(dieAt)) process.kill(process.pid, 'SIGKILL')
  appendFileSync(join(folder, 'moments'), `${name}\n`)
  count++
}

fs.writeSync = (descriptor, bytes, ...where) => {
  if (typeof bytes !== 'string') {
    // A file that is written anew says no place: without one there is all the memory that others share with it.
    const [from = 0, length = bytes.length - from] = where
    const batch = Buffer.from(bytes.buffer, bytes.byteOffset + from, length)
    look(nameOf(batch), batch)
  }
  return writeSync(descriptor, bytes, ...where)
}
fs.linkSync = (from, to) => {
  look('link')
  return linkSync(from, to)
}
fs.renameSync = (from, to) => {
  if (from.endsWith('.tmp')) look('rename')
  if (to.endsWith('.gone')) look('gone')
  if (from.endsWith('.forward')) look('forward')
  return renameSync(from, to)
}
syncBuiltinESMExports()
