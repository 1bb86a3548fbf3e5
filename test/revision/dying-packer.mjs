// Loaded into a broker that writes its files by plain calls (`node --import`), and has it pack by itself, for it gets no process. While the
// file `die-at` lies beside the data folder, whatever a packer does to the disk is named in `moments`, and in front of the one that it
// names (`write 3`, counted from 0) the process dies, as by kill -9. The kernel has what was done before: that is what a kill leaves.

import processes from 'node:child_process'
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { dirname, join } from 'node:path'

const folder = dirname(process.argv[process.argv.indexOf('--data') + 1])
const { appendFileSync, existsSync, fdatasync, openSync, readFileSync, renameSync, rmSync, writeSync } = fs
const orders = join(folder, 'die-at')
const isUnfinished = (path) => /\.pack[.0-9a-f]*\.tmp$/.test(path)
/** Descriptors of what becomes a pack. */
const unfinished = new Set()
const counts = new Map()
let asked = ''

function look(name) {
  if (!existsSync(orders)) return
  const order = readFileSync(orders, 'utf8')
  if (order !== asked) counts.clear()
  asked = order
  const count = counts.get(name) ?? 0
  if (order === `${name} ${count}`) process.kill(process.pid, 'SIGKILL')
  appendFileSync(join(folder, 'moments'), `${name}\n`)
  counts.set(name, count + 1)
}

processes.fork = () => {
  throw new Error('no process is to be had')
}
fs.openSync = (path, flags, ...mode) => {
  const isOfPack = isUnfinished(String(path)) && flags !== 'r'
  if (isOfPack && flags === 'wx+') look('create')
  const descriptor = openSync(path, flags, ...mode)
  if (isOfPack) unfinished.add(descriptor)
  else unfinished.delete(descriptor)
  return descriptor
}
fs.writeSync = (descriptor, ...what) => {
  if (unfinished.has(descriptor)) look('write')
  return writeSync(descriptor, ...what)
}
fs.fdatasync = (descriptor, done) => {
  if (unfinished.has(descriptor)) look('flush')
  fdatasync(descriptor, done)
}
fs.renameSync = (from, to) => {
  if (isUnfinished(from)) look('rename')
  renameSync(from, to)
}
fs.rmSync = (path, options) => {
  // What a pack has taken the place of. Before it is begun nothing of the kind goes.
  if (path.endsWith('.log')) look('remove')
  rmSync(path, options)
}
syncBuiltinESMExports()
