// The front door: runs the chosen drivers one after the other, passes their TAP on, and counts what it parsed.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const home = fileURLToPath(new URL('.', import.meta.url))
const drivers = { kafkajs: 'node/kafkajs.tap.ts', kcat: 'c/kcat.tap.ts', java: 'java/console.tap.ts' }
const usage = `usage: npm run compat -- [${Object.keys(drivers).join('|')} …] [--bootstrap host:port]`

const chosen = options()
install()
const total = { passed: 0, failed: 0, skipped: 0 }
console.log('TAP version 14')
for (const [i, name] of chosen.entries()) {
  const counts = await drive(name)
  for (const word of Object.keys(total)) total[word] += counts[word]
  console.log(
    `${counts.failed > 0 ? 'not ok' : 'ok'} ${i + 1} - ${name}${counts.skipAll ? ` # SKIP ${counts.skipAll}` : ''}`,
  )
}
console.log(`1..${chosen.length}`)
const { passed, failed, skipped } = total
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
process.exitCode = failed > 0 ? 1 : 0

function options() {
  try {
    const { values, positionals } = parseArgs({ allowPositionals: true, options: { bootstrap: { type: 'string' } } })
    const unknown = positionals.filter((name) => !Object.hasOwn(drivers, name))
    if (unknown.length > 0) throw new Error(`no driver named ${unknown.join(', ')}`)
    if (values.bootstrap) process.env.COMPAT_BOOTSTRAP = values.bootstrap
    return positionals.length > 0 ? positionals : Object.keys(drivers)
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

/** Runs one driver as a process of its own: a broker or client that hangs or throws takes only its driver along. */
async function drive(name) {
  const { Parser } = await import('tap-parser') // not there before install()
  const counts = { passed: 0, failed: 0, skipped: 0, skipAll: '' }
  const parser = new Parser()
  parser.on('assert', (scenario) => {
    if (scenario.skip || scenario.todo) counts.skipped++
    else if (scenario.ok) counts.passed++
    else counts.failed++
  })
  const ended = new Promise((resolve) => parser.on('complete', resolve))

  console.log(`# Subtest: ${name}`)
  const args = ['--import=@tapjs/typescript/import', drivers[name]]
  // The loader only strips the types here; `npm run types` is what checks them.
  const env = { ...process.env, TS_NODE_TRANSPILE_ONLY: '1' }
  const child = spawn(process.execPath, args, { cwd: home, env, stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = new Promise((resolve) => child.once('exit', resolve))
  for await (const line of createInterface({ input: child.stdout })) {
    parser.write(`${line}\n`)
    if (!line.startsWith('TAP version')) console.log(`    ${line}`)
  }
  parser.end()
  const results = await ended
  const code = await exited

  if (code !== 0 || !results.ok) {
    if (counts.failed === 0) {
      // It died before its plan was played. Its empty TAP alone would look like a driver that skips everything.
      console.log(`    # ${name} ended with ${code}`)
      counts.failed++
    }
  } else if (results.plan.skipAll) {
    counts.skipAll = results.plan.skipReason || results.plan.comment || 'no reason given'
    counts.skipped++
  }
  return counts
}
