// docs/http.md is run as it is written: block after block on a fresh broker, and what is printed must be what the page says. A `…`
// stands for whatever differs from run to run.

import { spawn, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { allFamilies } from '../../src/http/metrics.ts'
import { routes } from '../../src/http/routes.ts'
import { Broker } from '../../src/index.ts'
import { patternOf } from '../guide.ts'

const page = readFileSync(fileURLToPath(new URL('../../docs/http.md', import.meta.url)), 'utf8')
const written = 'http://127.0.0.1:8080'
const blocks = [...page.matchAll(/^```sh run\n(.*?)^```\n(?:```text\n(.*?)^```$)?/gms)].map(([, script, printed]) => ({
  script: script!,
  printed,
}))

function run(script: string): Promise<{ code: number | null; printed: string }> {
  const child = spawn('bash', ['-eu', '-o', 'pipefail', '-c', script], { timeout: 30_000 })
  let printed = ''
  child.stdout.on('data', (text) => {
    printed += text
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject).once('close', (code) => resolve({ code, printed }))
  })
}

const hasCurl = spawnSync('curl', ['--version']).status === 0

describe.skipIf(!hasCurl)('docs/http.md', () => {
  test('its commands print what it says', async () => {
    await using broker = await Broker.start({ http: true })
    await broker.createTopics([{ name: 'orders', config: { 'revision.diff': true } }])
    expect(blocks.length).toBeGreaterThan(6)
    for (const { script, printed } of blocks) {
      const outcome = await run(script.replaceAll(written, broker.httpUrl!))
      expect(outcome, script).toMatchObject({ code: 0 })
      if (printed !== undefined) expect(outcome.printed.trimEnd()).toMatch(patternOf(printed))
    }
  })
})

test('what it names is there', () => {
  const families = new Set(allFamilies.map(({ name }) => name))
  const named = [...page.matchAll(/`((?:kafka|twiglog)_\w+)`/g)]
    .map(([, name]) => name!)
    .filter((name) => !name.endsWith('_'))
  expect(named.filter((name) => !families.has(name))).toEqual([])
  const paths = new Set(routes.map(({ path }) => path))
  const asked = [...page.matchAll(/`GET (\/[^`\s]*)`/g)].map(([, path]) => path!)
  expect(asked.filter((path) => !paths.has(path))).toEqual([])
})
