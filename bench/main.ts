// npm run bench -- <journey> [--rounds N] [--scale F] [--json FILE]
// Figures go to standard output, one JSON line each; what is going on goes to standard error.
import { appendFileSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, release, totalmem } from 'node:os'
import { parseArgs } from 'node:util'
import { branch, branchParts } from './branch/branch.ts'
import { findClients } from './clients.ts'
import { compaction } from './compaction.ts'
import { asTable, type Line, Table } from './compare.ts'
import { connections } from './connections.ts'
import { consume } from './consume.ts'
import { cpu } from './cpu.ts'
import { grow } from './grow.ts'
import type { Bench, Journey } from './journey.ts'
import { kafka } from './kafka.ts'
import { latency } from './latency.ts'
import { memory } from './memory.ts'
import { type Peer, twiglog } from './peers.ts'
import { produce } from './produce.ts'
import { revision, revisionParts } from './revision/revision.ts'
import { small } from './small.ts'
import { start } from './start.ts'

const journeys: readonly Journey[] = [
  start,
  memory,
  produce,
  consume,
  small,
  latency,
  connections,
  grow,
  compaction,
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
  all           every journey but those whose figures others hold

  --rounds N   measure each peer N times, in turn (3)
  --scale F    shrink the counts, for example 0.1 to try things out (1)
  --json FILE  write the lines to a file too
  --peers A,B  what to compare (twiglog,kafka): twiglog, kafka, or the folder of another built checkout of twiglog;
               the same peer twice shows how far equal things come out apart
`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '3' },
    scale: { type: 'string', default: '1' },
    json: { type: 'string' },
    peers: { type: 'string', default: 'twiglog,kafka' },
  },
})
const [wanted = '', ...twiglogFlags] = positionals
const chosen = wanted === 'all' ? inAll : journeys.filter(({ name }) => name === wanted)
const rounds = Number(values.rounds)
const scale = Number(values.scale)
if (!chosen.length || !(rounds >= 1) || !(scale > 0)) {
  process.stderr.write(usage)
  process.exit(2)
}

if (values.json) writeFileSync(values.json, '')
function print(line: Line): void {
  const text = `${JSON.stringify(line)}\n`
  process.stdout.write(text)
  if (values.json) appendFileSync(values.json, text)
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
    if (typeof peer === 'string') print({ peer: name, problem: `not measured: ${peer}` })
    else found.push(peer)
  }
  return found
}

const peers = await findPeers()
const clients = await findClients()
print({
  date: new Date().toISOString(),
  machine: `${cpus().length} x ${cpus()[0]?.model ?? 'CPU'}, ${Math.round(totalmem() / 2 ** 30)} GB, ${process.platform} ${release()}`,
  node: process.version,
  loadAverage: loadavg().map((load) => Number(load.toFixed(2))),
  peers: peers.map(({ name, version }) => `${name} ${version}`),
  clients: [clients.application.name, clients.raw ? 'raw' : []].flat(),
  missing: clients.missing,
  rounds,
  scale,
})

for (const journey of chosen) {
  process.stderr.write(`${journey.name}: ${journey.summary}\n`)
  const table = new Table(journey.name, peers)
  const count = (full: number) => Math.max(1, Math.round(full * scale))
  const bench: Bench = { peers, clients, table, rounds, count, print }
  await journey.run(bench).catch((problem: Error) => print({ journey: journey.name, problem: problem.message }))
  const lines = [...table.lines()]
  for (const line of lines) print(line)
  process.stderr.write(asTable(lines))
}
process.exit(0)
