// librdkafka in plain C, as the system has it installed: older than the one under confluent-kafka, and used without a binding.
import { mkdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { playClient } from '../play.ts'
import { missing, run } from '../process.ts'

const folder = fileURLToPath(new URL('.', import.meta.url))
const parts = ['main', 'json', 'admin', 'producers', 'consumers']
const buildMs = 120_000

/** Compiles each time: a second. */
async function compiled(flags: string): Promise<readonly string[]> {
  await mkdir(`${folder}target`, { recursive: true })
  const program = `${folder}target/librdkafka-hand`
  const sources = parts.map((name) => `hand/${name}.c`)
  const args = ['-std=gnu11', '-O1', '-Wall', '-Wextra', '-o', program, ...sources, ...flags.trim().split(/\s+/)]
  const { code, stderr } = await run('gcc', args, { cwd: folder, timeoutMs: buildMs })
  if (code !== 0) throw new Error(`gcc ended with ${code}: ${stderr}`)
  return [program]
}

const needs = ['gcc', 'pkg-config']
const absent = missing(...needs)
const found = absent ? undefined : await run('pkg-config', ['--cflags', '--libs', 'rdkafka'])
if (found?.code === 0) {
  const flags = found.stdout.toString()
  await playClient({ name: 'librdkafka', needs, prepare: () => compiled(flags), from: import.meta.url })
} else t.plan(0, absent || 'pkg-config finds no rdkafka (librdkafka-dev)')
