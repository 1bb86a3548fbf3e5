// Deltas of ours in the hands of other decoders, and theirs in ours: the same pairs for all, TAP at the end of each.
// node compat/vcdiff/run.mjs [--pairs N] [--seed N] [decoder …], after npm run build. A decoder that cannot be had here is skipped with a word.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const home = fileURLToPath(new URL('.', import.meta.url))
const target = `${home}target`
const built = `${home}../../dist`
if (!existsSync(`${built}/test/revision/delta-pairs.js`)) {
  console.error('dist is missing: npm run build')
  process.exit(2)
}
const { decodeDelta } = await import(`${built}/src/revision/decode-delta.js`)
const { encodeDelta } = await import(`${built}/src/revision/encode-delta.js`)
const { certainPairs, pair } = await import(`${built}/test/revision/delta-pairs.js`)

class Skip extends Error {}

/** What makes a program ready, and gives its command line. It is asked `FILE OF PAIRS [FILE FOR ITS OWN DELTAS]` (see README). */
const decoders = {
  javascript: { prepare: javascript },
  python: { prepare: python },
  java: { prepare: java, encodes: true },
  rust: { prepare: () => rust('vcdiff-decoder') },
  'open-vcdiff': { prepare: () => rust('open-vcdiff'), encodes: true },
  xdelta3: { prepare: xdelta3, encodes: true },
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { pairs: { type: 'string', default: '2000' }, seed: { type: 'string', default: '1' } },
})
const chosen = positionals.length > 0 ? positionals : Object.keys(decoders)
const folder = mkdtempSync(`${tmpdir()}/twiglog-vcdiff-`)
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
mkdirSync(target, { recursive: true })

const first = Number(values.seed)
const pairs = certainPairs()
// An empty value is never stored as a delta: one of these decoders cannot make one.
for (let seed = first; pairs.length < Number(values.pairs); seed++) {
  const each = pair(seed)
  if (each.target.length > 0) pairs.push(each)
}
const deltas = pairs.map(({ source, target }) => encodeDelta(source, target))
const file = `${folder}/pairs`
writeFileSync(file, Buffer.concat(pairs.flatMap((each, i) => [each.source, each.target, deltas[i]].flatMap(sized))))
console.log(`TAP version 14\n# ${pairs.length} pairs from seed ${first}`)

let played = 0
let failed = 0
let skipped = 0
for (const name of chosen) {
  const { prepare, encodes = false } = decoders[name] ?? {}
  if (prepare === undefined) throw new Error(`no decoder named ${name}: ${Object.keys(decoders).join(' ')}`)
  let command
  try {
    command = prepare()
  } catch (problem) {
    if (!(problem instanceof Skip)) throw problem
    skipped++
    say(true, `${name} # SKIP ${problem.message}`)
    continue
  }
  const theirs = `${folder}/${name}`
  const args = [...command.slice(1), file, ...(encodes ? [theirs] : [])]
  const { stdout, stderr, status, signal } = run(command[0], args)
  const wrong = stdout.split('\n').filter((line) => line.startsWith('wrong '))
  const right = Number(/^right (\d+)$/m.exec(stdout)?.[1] ?? 0)
  say(status === 0 && right === pairs.length, `${name} makes ${right} of ${pairs.length} values of our deltas`)
  if (status !== 0) console.log(`# it ended with ${status ?? signal}: ${stderr.slice(-500).replaceAll('\n', '\n# ')}`)
  for (const line of wrong.slice(0, 10)) console.log(`# ${line}, ${pairs[Number(line.split(' ')[1])].name}`)
  if (encodes) readTheirs(name, theirs)
}
console.log(`1..${played}\n${played - failed - skipped} passed, ${failed} failed, ${skipped} skipped`)
process.exitCode = failed > 0 ? 1 : 0

function readTheirs(name, theirs) {
  const bytes = existsSync(theirs) ? readFileSync(theirs) : Buffer.alloc(0)
  const problems = []
  let at = 0
  let size = 0
  for (const [i, { source, target, name }] of pairs.entries()) {
    if (at + 4 > bytes.length) break
    const length = bytes.readUInt32BE(at)
    const delta = bytes.subarray(at + 4, at + 4 + length)
    at += 4 + length
    size += length
    try {
      if (!decodeDelta(source, delta, target.length).equals(target)) problems.push(`pair ${i}: other bytes, ${name}`)
    } catch (problem) {
      problems.push(`pair ${i}: ${problem.message}, ${name}; ${delta.subarray(0, 24).toString('hex')}`)
    }
  }
  say(
    problems.length === 0 && at === bytes.length && at > 0,
    `we make ${pairs.length - problems.length} of ${pairs.length} values of ${name}'s deltas`,
  )
  for (const line of problems.slice(0, 10)) console.log(`# ${line}`)
  const ours = deltas.reduce((sum, { length }) => sum + length, 0)
  console.log(`# bytes of all deltas: ours ${ours}, ${name}'s ${size}`)
}

function say(isOk, text) {
  played++
  if (!isOk) failed++
  console.log(`${isOk ? 'ok' : 'not ok'} ${played} - ${text}`)
}

function sized(bytes) {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return [length, bytes]
}

function run(program, args, options = {}) {
  return spawnSync(program, args, { encoding: 'utf8', timeout: 600_000, maxBuffer: 1 << 26, cwd: home, ...options })
}

function need(...programs) {
  for (const program of programs) {
    if (run('sh', ['-c', `command -v ${program}`]).status !== 0) throw new Skip(`${program} not found on PATH`)
  }
}

/** Runs what makes a decoder ready, unless that was done for these very files. */
function onceFor(name, files, make) {
  const hash = createHash('sha256')
  for (const each of files) hash.update(readFileSync(`${home}${each}`))
  const stamp = hash.digest('hex')
  const stampFile = `${target}/${name}.stamp`
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return
  make()
  writeFileSync(stampFile, stamp) // last, so that a broken download is tried again
}

function must(program, ...args) {
  const { status, stdout, stderr } = run(program, args)
  if (status !== 0)
    throw new Skip(`${program} ended with ${status} (no network?): ${`${stdout}${stderr}`.trim().split('\n').at(-1)}`)
}

function javascript() {
  need('npm')
  onceFor('node', ['node/package-lock.json'], () => must('npm', 'ci', '--prefix', 'node', '--no-audit', '--no-fund'))
  return ['node', 'node/peer.mjs']
}

function python() {
  need('python3')
  onceFor('python', ['python/requirements.txt'], () => {
    must('python3', '-m', 'venv', `${target}/python`)
    must(
      `${target}/python/bin/pip`,
      'install',
      '--quiet',
      '--only-binary',
      ':all:',
      '--no-deps',
      '-r',
      'python/requirements.txt',
    )
  })
  return [`${target}/python/bin/python`, '-B', 'python/peer.py']
}

function java() {
  need('java', 'javac', 'mvn')
  onceFor('java', ['java/pom.xml', 'java/src/Peer.java'], () => {
    must('mvn', '-B', '-q', '-f', 'java/pom.xml', 'dependency:copy-dependencies', `-DoutputDirectory=${target}/java`)
    must(
      'javac',
      '--release',
      '17',
      '-nowarn',
      '-cp',
      `${target}/java/*`,
      '-d',
      `${target}/java/classes`,
      'java/src/Peer.java',
    )
  })
  return ['java', '-Xmx512m', '-XX:+UseSerialGC', '-cp', `${target}/java/classes:${target}/java/*`, 'Peer']
}

function rust(decoder) {
  need('cargo')
  // cargo itself knows what has changed.
  must(
    'cargo',
    'build',
    '--quiet',
    '--release',
    '--locked',
    '--manifest-path',
    'rust/Cargo.toml',
    '--target-dir',
    `${target}/rust`,
  )
  return [`${target}/rust/release/twiglog-vcdiff`, decoder]
}

function xdelta3() {
  need(process.env.XDELTA3 ?? 'xdelta3')
  return ['node', 'xdelta3.mjs']
}
