// docs/http.md is run as it is written: block after block on a fresh broker, and what is printed must be what the page says. A `…`
// stands for whatever differs from run to run.

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { allFamilies } from '../../src/http/metrics.ts'
import { routes } from '../../src/http/routes.ts'
import { Broker } from '../../src/index.ts'
import { patternOf, runScript, scriptsOf } from '../guide.ts'

const page = readFileSync(fileURLToPath(new URL('../../docs/http.md', import.meta.url)), 'utf8')
const written = 'http://127.0.0.1:8080'
const blocks = scriptsOf(page)

const hasCurl = spawnSync('curl', ['--version']).status === 0

describe.skipIf(!hasCurl)('docs/http.md', () => {
  test('its commands print what it says', async () => {
    await using broker = await Broker.start({ http: true })
    await broker.createTopics([{ name: 'orders', config: { 'revision.diff': true } }])
    expect(blocks.length).toBeGreaterThan(6)
    for (const { script, printed } of blocks) {
      const outcome = await runScript(script.replaceAll(written, broker.httpUrl!), { timeout: 30_000 })
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
