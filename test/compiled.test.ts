// The program starts with the code that V8 made of it at the build, and as well without: no damage to it may reach V8.

import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { keepCode, loadCompiled } from '../src/compiled.ts'
import { built } from './built.ts'

type Sample = { answer: () => number; later: () => Promise<{ half: number }> }

const program = `(function (exports, require) {
exports.answer = () => 42
exports.later = () => Promise.resolve().then(() => require('./later.cjs'))
})`
const later = `exports.half = require('./sample.cjs').answer() / 2`

let folder: string
let made = 0

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'twiglog-compiled-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

/** A file with code beside it. */
async function sample(): Promise<string> {
  const home = mkdtempSync(join(folder, `${made++}-`))
  const file = join(home, 'sample.cjs')
  writeFileSync(file, program)
  writeFileSync(join(home, 'later.cjs'), later)
  const { exports, script } = loadCompiled<Sample>(file)
  expect(script.cachedDataRejected).toBeUndefined()
  expect(exports.answer()).toBe(42)
  keepCode(file, script)
  return file
}

test('code that was kept is taken, and what is required later meets the same program', async () => {
  const { exports, script } = loadCompiled<Sample>(await sample())
  expect(script.cachedDataRejected).toBe(false)
  expect(exports.answer()).toBe(42)
  expect(await exports.later()).toEqual({ half: 21 })
})

test('code with any byte flipped, or cut off anywhere, is not taken', async () => {
  const file = await sample()
  const code = readFileSync(`${file}.code`)
  for (let at = 0; at < code.length; at += 7) {
    const flipped = Buffer.from(code)
    flipped[at]! ^= 1
    for (const damaged of [flipped, code.subarray(0, at)]) {
      writeFileSync(`${file}.code`, damaged)
      const { exports, script } = loadCompiled<Sample>(file)
      expect(script.cachedDataRejected).toBeUndefined()
      expect(exports.answer()).toBe(42)
    }
  }
})

test('code of a file that was changed since is not taken, though it is as long as before', async () => {
  const file = await sample()
  writeFileSync(file, program.replace('42', '43'))
  const { exports, script } = loadCompiled<Sample>(file)
  expect(script.cachedDataRejected).toBeUndefined()
  expect(exports.answer()).toBe(43)
})

test('the build has kept code of the program, and this V8 takes it', async () => {
  await built('bundle/main.js')
  const loading = `
    import { loadCompiled } from './dist/src/compiled.js'
    const { script, exports } = loadCompiled(process.argv[1])
    console.log(script.cachedDataRejected, typeof exports.run)`
  const words = ['--input-type=module', '--eval', loading, await built('bundle/program-body.cjs')]
  const { stdout, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8' })
  expect(stdout.trim(), stderr).toBe('false function')
})

test('without the code the command works as well', async () => {
  const home = mkdtempSync(join(folder, 'bare-'))
  for (const name of ['main.js', 'program-body.cjs']) copyFileSync(await built(`bundle/${name}`), join(home, name))
  writeFileSync(join(home, 'package.json'), '{"type":"module"}')
  const { stdout, stderr } = spawnSync(process.execPath, [join(home, 'main.js'), '--version'], {
    encoding: 'utf8',
    env: { ...process.env, NODE_PATH: new URL('../node_modules', import.meta.url).pathname },
  })
  expect(stdout, stderr).toMatch(/^\S+\n$/)
})
