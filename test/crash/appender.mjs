// Appends to a mapped log until it is killed, and says after each append that it is acknowledged. Run by kill.test.ts.

import { writeSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const [built, root, folder, config] = process.argv.slice(2)
const load = (path) => import(pathToFileURL(join(built, path)).href)
const { Log } = await load('src/log/log.js')
const { MappedStore } = await load('src/storage/mapped-file.js')
const { PlainStore } = await load('src/storage/plain-file.js')
const { canMap } = await load('src/storage/mapped-file.js')
const { encodeBatch } = await load('protocol/records/builder.js')

const log = new Log(canMap() ? new MappedStore(root) : new PlainStore(root), folder, JSON.parse(config))
for (let offset = log.logEndOffset; ; offset++) {
  // The size tells the offset and the other way round, so that the reader needs no account of what was sent.
  const value = Buffer.alloc((offset * 7919) % 9000, String(offset))
  const bytes = encodeBatch({
    records: [{ key: Buffer.from(String(offset)), value, timestamp: 1000 + offset }],
    producerId: 5,
    producerEpoch: 0,
    baseSequence: offset,
  })
  const result = log.append(bytes, { leaderEpoch: 0, now: 1000 + offset })
  if (result.baseOffset !== offset || result.duplicate) throw new Error(`offset ${offset}: ${JSON.stringify(result)}`)
  writeSync(1, `${offset}\n`)
  if (offset % 50 === 0) await log.flush()
  if (offset % 400 === 399) log.deleteBelow(offset - 300)
}
