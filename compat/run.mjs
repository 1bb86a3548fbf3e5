// Plays the chosen drivers one after the other and counts what their TAP says. A client that hangs, throws or is missing
// takes only its own driver along.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { drivers, inTurn, languageOf } from './drivers.mjs'
import { Counted, playTwice } from './first-try.mjs'

const home = fileURLToPath(new URL('.', import.meta.url))
const languages = [...new Set(Object.values(drivers).map(languageOf))]
const usage = `usage: npm run compat -- [--bootstrap host:port] [--only scenario,…] [--matrix] [client or language …]
clients: ${Object.keys(drivers).join(' ')}
languages: ${languages.join(' ')}`

// So that a machine with slow clients still comes to an end: what has not begun by then is skipped.
const { COMPAT_MINUTES } = process.env
const playedUntil = COMPAT_MINUTES ? Date.now() + Number(COMPAT_MINUTES) * 60_000 : Number.POSITIVE_INFINITY
// Clients wait more than they work: two at a time need hardly longer than one.
const jobs = Number(process.env.COMPAT_JOBS ?? 1)
const noTime = {
  passed: 0,
  failed: 0,
  skipped: 1,
  skipAll: `not begun within ${COMPAT_MINUTES} minutes (COMPAT_MINUTES)`,
}

const { chosen, matrix } = options()
install()
if (matrix) await matrixOnly()
else await playAll()

async function playAll() {
  const total = { passed: 0, failed: 0, skipped: 0 }
  console.log('TAP version 14')
  const waiting = COMPAT_MINUTES ? inTurn(chosen, Math.floor(Date.now() / 86_400_000)) : [...chosen]
  let played = 0
  // Two of one language would make the same packages ready at the same time.
  const busy = new Set()
  const take = () => {
    const at = waiting.findIndex((name) => !busy.has(languageOf(drivers[name])))
    return at < 0 ? undefined : waiting.splice(at, 1)[0]
  }
  const playNext = async () => {
    for (let name = take(); name !== undefined; name = take()) {
      const language = languageOf(drivers[name])
      busy.add(language)
      // Of several at a time each says everything at its end, or TAP would be mixed up.
      const lines = []
      const say = jobs > 1 ? (line) => lines.push(line) : console.log
      const counts = Date.now() < playedUntil ? await driveOrTwice(name, say) : noTime
      busy.delete(language)
      for (const word of Object.keys(total)) total[word] += counts[word]
      const skip = counts.skipAll ? ` # SKIP ${counts.skipAll}` : ''
      say(`${counts.failed > 0 ? 'not ok' : 'ok'} ${++played} - ${name}${skip}`)
      if (lines.length > 0) console.log(lines.join('\n'))
    }
  }
  await Promise.all(Array.from({ length: Math.min(jobs, chosen.length) }, playNext))
  console.log(`1..${chosen.length}`)
  const { passed, failed, skipped } = total
  console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
  process.exitCode = failed > 0 ? 1 : 0
}

function options() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { bootstrap: { type: 'string' }, only: { type: 'string' }, matrix: { type: 'boolean' } },
    })
    const all = Object.keys(drivers)
    const unknown = positionals.filter((word) => !all.includes(word) && !languages.includes(word))
    if (unknown.length > 0) throw new Error(`no client or language named ${unknown.join(', ')}`)
    if (values.bootstrap) process.env.COMPAT_BOOTSTRAP = values.bootstrap
    if (values.only) process.env.COMPAT_ONLY = values.only
    const named = (name) => positionals.includes(name) || positionals.includes(languageOf(drivers[name]))
    return { chosen: positionals.length > 0 ? all.filter(named) : all, matrix: values.matrix === true }
  } catch (problem) {
    console.error(`${problem.message}\n${usage}`)
    process.exit(2)
  }
}

/** tap is large and the root install is to stay small, so the drivers' packages come only when somebody runs them. */
function install() {
  if (existsSync(new URL('node_modules/tap', import.meta.url))) return
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: home, stdio: ['ignore', 2, 2] })
  if (status !== 0) throw new Error('`npm ci` in compat/ failed')
}

function typescript(file, stdout, environment = {}) {
  const args = ['--import=@tapjs/typescript/import', file]
  // The loader only strips the types here; `npm run types` is what checks them.
  const env = { ...process.env, ...environment, TS_NODE_TRANSPILE_ONLY: '1' }
  return spawn(process.execPath, args, { cwd: home, env, stdio: ['ignore', stdout, 'inherit'] })
}

async function matrixOnly() {
  process.exitCode = await new Promise((resolve) => typescript('matrix.ts', 'inherit').once('exit', resolve))
}

async function driveOrTwice(name, say) {
  say(`# Subtest: ${name}`)
  const play = (told, environment) => drive(name, told, environment)
  return process.env.COMPAT_AGAIN === '1' ? playTwice(name, play, say) : play((line) => say(`    ${line}`))
}

/** Runs one driver as a process of its own. */
async function drive(name, say, environment = {}) {
  const { Parser } = await import('tap-parser') // not there before install()
  const counts = new Counted()
  const parser = new Parser()
  parser.on('assert', (scenario) => counts.assert(scenario))
  const ended = new Promise((resolve) => parser.on('complete', resolve))

  const child = typescript(drivers[name], 'pipe', environment)
  const exited = new Promise((resolve) => child.once('exit', resolve))
  for await (const line of createInterface({ input: child.stdout })) {
    parser.write(`${line}\n`)
    if (!line.startsWith('TAP version')) say(line)
  }
  parser.end()
  const { ok, plan } = await ended
  for (const line of counts.end({ ok, plan, exit: await exited })) say(line)
  return counts
}
