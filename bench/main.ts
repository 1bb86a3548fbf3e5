// npm run bench -- <journey> | race | report FILE [--rounds N] [--scale F] [--json FILE]
// Figures go to standard output, one JSON line each; what is going on goes to standard error.
import { appendFileSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, release, totalmem } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { haveV8GiveWay } from '../src/v8-threads.ts'
import { branch, branchParts } from './branch/branch.ts'
import { findClients } from './clients.ts'
import { compaction } from './compaction.ts'
import { asTable, type Line, Table } from './compare.ts'
import { cpu } from './cpu.ts'
import { cacheFolder } from './home.ts'
import type { Bench, Journey } from './journey.ts'
import { kafka } from './kafka.ts'
import { type Peer, twiglog } from './peers.ts'
import { quota } from './quota.ts'
import { finishedIn, linesOf, race } from './race.ts'
import { report } from './report/report.ts'
import { revision, revisionParts } from './revision/revision.ts'

const journeys: readonly Journey[] = [
  ...race,
  compaction,
  quota,
  branch,
  ...branchParts,
  revision,
  ...revisionParts,
  cpu,
]
// Their figures are in other journeys already.
const parts = [...branchParts, ...revisionParts]
const inAll = journeys.filter((journey) => journey !== cpu && !parts.includes(journey))

const usage = `npm run bench -- <journey> [--rounds N] [--scale F] [--json FILE] [--peers twiglog,kafka] [-- twiglog flags]

${journeys.map(({ name, summary }) => `  ${name.padEnd(13)} ${summary}`).join('\n')}
  race          all that is measured beside Kafka, five rounds, and its page; goes on where it was stopped
  all           every journey but those whose figures others hold
  report FILE   makes the page of a file of lines (--out bench/report.html)

  --rounds N   measure each peer N times, in turn (3; race: 5)
  --scale F    shrink the counts, for example 0.1 to try things out (1)
  --json FILE  write the lines to a file too (race: race.jsonl in the folder of the downloads)
  --peers A,B  what to compare (twiglog,kafka): twiglog, kafka, or the folder of another built checkout of twiglog;
               the same peer twice shows how far equal things come out apart
  --anew       race: begin again, whatever the file holds
`

function asked() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        rounds: { type: 'string' },
        scale: { type: 'string', default: '1' },
        json: { type: 'string' },
        peers: { type: 'string', default: 'twiglog,kafka' },
        out: { type: 'string', default: 'bench/report.html' },
        anew: { type: 'boolean', default: false },
      },
    })
  } catch (cause) {
    process.stderr.write(`${(cause as Error).message}\n\n${usage}`)
    process.exit(2)
  }
}

const { values, positionals } = asked()
const [wanted = '', ...twiglogFlags] = positionals
if (wanted === 'report' && twiglogFlags[0]) {
  writeReport(twiglogFlags[0])
  process.exit(0)
}
const isRace = wanted === 'race'
const chosen = isRace ? race : wanted === 'all' ? inAll : journeys.filter(({ name }) => name === wanted)
const rounds = Number(values.rounds ?? (isRace ? 5 : 3))
const scale = Number(values.scale)
if (!chosen.length || !(rounds >= 1) || !(scale > 0)) {
  process.stderr.write(usage)
  process.exit(2)
}
const linesPath = values.json ?? (isRace ? join(cacheFolder('results'), 'race.jsonl') : undefined)

function writeReport(from: string): void {
  writeFileSync(values.out, report(linesOf(from)))
  process.stderr.write(`${values.out} is made from ${from}\n`)
}

function print(line: Line): void {
  const text = `${JSON.stringify(line)}\n`
  process.stdout.write(text)
  if (linesPath) appendFileSync(linesPath, text)
}

async function findPeer(name: string): Promise<Peer | string> {
  if (name === 'kafka') return await kafka()
  const ours = name === 'twiglog' ? twiglog(twiglogFlags) : twiglog(twiglogFlags, name)
  return ours ?? 'twiglog is not built there: npm run build'
}

async function findPeers(): Promise<Peer[]> {
  const names = values.peers.split(',')
  const found: Peer[] = []
  for (const name of names) {
    const peer = await findPeer(name)
    if (typeof peer === 'string') missing.push(`${name} is not measured: ${peer}`)
    else found.push(peer)
  }
  return found
}

// The script forks and merges itself; what it compiles meanwhile must not take a core from the broker that it measures.
haveV8GiveWay()
const missing: string[] = []
const peers = await findPeers()
const clients = await findClients()
const header: Line = {
  date: new Date().toISOString(),
  machine: `${cpus().length} x ${cpus()[0]?.model ?? 'CPU'}, ${Math.round(totalmem() / 2 ** 30)} GB, ${process.platform} ${release()}`,
  node: process.version,
  loadAverage: loadavg().map((load) => Number(load.toFixed(2))),
  peers: peers.map(({ name, version }) => `${name} ${version}`),
  clients: [clients.application.name, clients.raw ? 'raw' : []].flat(),
  missing: [...clients.missing, ...missing],
  rounds,
  scale,
}
const finished = begin()

/** What the file already holds of this run; where that is nothing, it begins with the header. */
function begin(): ReadonlySet<string> {
  const done = isRace && linesPath && !values.anew ? finishedIn(linesPath, header) : new Set<string>()
  if (done.size) process.stderr.write(`${linesPath} holds ${[...done].join(', ')} already\n`)
  else {
    if (linesPath) writeFileSync(linesPath, '')
    print(header)
  }
  return done
}

for (const journey of chosen) {
  if (finished.has(journey.name)) continue
  process.stderr.write(`${journey.name}: ${journey.summary}\n`)
  const table = new Table(journey.name, peers)
  const count = (full: number) => Math.max(1, Math.round(full * scale))
  let problems = 0
  const told = (line: Line) => {
    if ('problem' in line) problems++
    print({ journey: journey.name, ...line })
  }
  const bench: Bench = { peers, clients, table, rounds, count, print: told }
  const beganAt = performance.now()
  await journey.run(bench).catch((problem: Error) => told({ problem: problem.message }))
  const lines = [...table.lines()]
  for (const line of lines) print(line)
  process.stderr.write(asTable(lines))
  const tookS = Math.round((performance.now() - beganAt) / 1000)
  print({ journey: journey.name, done: problems === 0, tookS })
}
if (isRace && linesPath) writeReport(linesPath)
process.exit(0)
