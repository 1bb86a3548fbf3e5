// The crash lab at the command line:
//
//   npm run crash-lab -- --kills 500 --seed 7            kills, in turn with a look at everything
//   npm run crash-lab -- --every 1000                    up for a second at most between two kills, three seconds otherwise; one life of
//                                                        five may be five times as long, so that groups come to rest and read
//   npm run crash-lab -- --clients kafkajs,franz         with these clients alone
//   npm run crash-lab -- --check FILE                    judges the history of a run once more
//
// After every kill the folder is checked: what `twiglog check` does, but for what lies in files that have not changed since they
// were read (same inode, size and time); every 25th time, and in the end, it is that command, which reads everything. After every
// start all that has come to every topic, to `__branches` and to the offsets of groups is read and held against what clients were
// answered; at every 10th, what has come to a view of revisions, and at every 100th all that it shows. The end reads everything
// from the start once more.
//
// SIGINT ends it with the kill that is under way, and with the last look at everything. The history lies beside the data,
// which stays where anything was wrong. The last line is `N passed, N failed, N skipped`: kinds of things that were held
// against each other, findings, and clients that cannot be had here.

import { cpSync, mkdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { cast, clientNames } from './casting.ts'
import { History, readHistory } from './history.ts'
import { Judge } from './judge.ts'
import { Lab } from './lab.ts'

const shownMax = 20
const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '500' },
    every: { type: 'string', default: '3000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    clients: { type: 'string', default: clientNames.join(',') },
    history: { type: 'string' },
    check: { type: 'string' },
  },
})

const judge = new Judge()
let skipped = 0
if (values.check === undefined) await play()
else for (const happened of readHistory(values.check)) judge.take(happened)
conclude()
process.exit() // clients that were cut off may still be trying

async function play(): Promise<void> {
  const [kills, seed] = [Number(values.kills), Number(values.seed)]
  if (!(kills > 0) || !Number.isInteger(seed)) throw new Error('--kills N --seed N: how often, and by which chance')
  const { clients, absent } = cast(values.clients.split(','))
  skipped = absent.length
  for (const each of absent) console.log(`not there: ${each}`)
  const path = values.history ?? join(tmpdir(), `twiglog-crash-lab-${seed}-${process.pid}`, 'history.jsonl')
  mkdirSync(dirname(path), { recursive: true })
  console.log(`seed ${seed}, ${kills} kills, ${clients.map(({ name }) => name).join(', ')}; history: ${path}`)
  const history = new History(path)
  history.onEach((happened) => judge.take(happened))
  const lab = new Lab({ kills, seed, upMsMax: Number(values.every), clients, say: console.log }, history, judge)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => lab.endSoon())
  try {
    await lab.run()
  } catch (problem) {
    judge.wrong(`the run ended early: ${(problem as Error).stack}`)
  } finally {
    await lab.close()
    history.close()
  }
  const failed = judge.found.length > 0
  if (failed) cpSync(lab.folder, join(dirname(path), 'broker'), { recursive: true })
  rmSync(lab.folder, { recursive: true, force: true })
  if (!failed && values.history === undefined) rmSync(dirname(path), { recursive: true, force: true })
  if (failed) console.log(`what was left is in ${dirname(path)}; npm run crash-lab -- --check ${path}`)
}

function conclude(): void {
  for (const found of judge.found.slice(0, shownMax)) console.log(`WRONG: ${found}`)
  if (judge.found.length > shownMax) console.log(`… and ${judge.found.length - shownMax} more`)
  console.log(`checked: ${judge.summary}`)
  const { length: failed } = judge.found
  console.log(`${judge.checked.size} passed, ${failed} failed, ${skipped} skipped`)
  process.exitCode = failed > 0 || judge.checked.size === 0 ? 1 : 0
}
