// Where the benchmark keeps what is not ours to commit: compiled clients, Kafka's jars, data, logs.
import { mkdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const home = process.env['TWIGLOG_BENCH_HOME'] ?? join(tmpdir(), 'twiglog-bench')
const dataHome = join(home, `data-${process.pid}`)
process.once('exit', () => rmSync(dataHome, { recursive: true, force: true }))

/** Kept from run to run. */
export function cacheFolder(name: string): string {
  const path = join(home, name)
  mkdirSync(path, { recursive: true })
  return path
}

let dataCount = 0

/** Empty, on the same disk for every peer, and gone when the script ends. */
export function freshDataFolder(name: string): string {
  const path = join(dataHome, `${name.replaceAll(/\W+/g, '-')}-${++dataCount}`)
  mkdirSync(path, { recursive: true })
  return path
}
