// docs/operations.md is run as it is written, in a folder of its own: a broker is started, looked at and stopped by its
// commands alone. A `…` stands for whatever differs from run to run.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { allFamilies } from '../src/http/metrics.ts'
import { built } from './built.ts'
import { patternOf, readGuide, runScript, scriptsOf } from './guide.ts'

const page = readGuide('operations.md')
const blocks = scriptsOf(page)

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

const hasCurl = spawnSync('curl', ['--version']).status === 0

describe.skipIf(!hasCurl)('docs/operations.md', { timeout: 180_000 }, () => {
  test('its commands print what it says', async () => {
    const main = await built('bundle/main.js')
    const folder = mkdtempSync(join(tmpdir(), 'twiglog-operations-'))
    const [port, httpPort] = [await freePort(), await freePort()]
    const env = {
      ...process.env,
      NO_COLOR: '1',
      KAFKA_LISTENERS: `PLAINTEXT://127.0.0.1:${port}`,
      KAFKA_HTTP_PORT: String(httpPort),
    }
    const twiglog = `twiglog() { '${process.execPath}' '${main}' "$@"; }\n`
    try {
      expect(blocks.length).toBe(3)
      for (const { script, printed } of blocks) {
        const here = script.replaceAll('127.0.0.1:9092', `127.0.0.1:${port}`).replaceAll(':8080', `:${httpPort}`)
        const outcome = await runScript(`${twiglog}${here}`, { cwd: folder, env, timeout: 60_000 })
        expect(outcome, script).toMatchObject({ code: 0 })
        if (printed !== undefined) expect(outcome.printed.trimEnd()).toMatch(patternOf(printed))
      }
    } finally {
      const { pid } = JSON.parse(readFileSync(join(folder, 'ready'), 'utf8')) as { pid: number }
      spawnSync('kill', ['-9', String(pid)])
      rmSync(folder, { recursive: true, force: true })
    }
  })
})

test('the metrics that it names are there', () => {
  const families = new Set(allFamilies.map(({ name }) => name))
  const named = [...page.matchAll(/`((?:kafka|twiglog|process|nodejs)_\w+)/g)].map(([, name]) => name!)
  expect(named.length).toBeGreaterThan(25)
  expect(named.filter((name) => !families.has(name))).toEqual([])
})
