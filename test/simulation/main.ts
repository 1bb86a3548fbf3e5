// Simulations at the command line:
//
//   npm run simulate -- --seed 7 --steps 400              one, by its seed
//   npm run simulate -- --runs 1000                       many, with seeds that follow each other from one that nobody chose
//
//   npm run simulate -- --seed 7 --whole                  with its whole history where it fails, as it is
//
// A seed that fails is run again with fewer and fewer steps, as long as it still fails, and the history of what is left is
// printed. The last line is `N passed, N failed`.

import { parseArgs } from 'node:util'
import { failing, shortest } from './shrink.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    steps: { type: 'string', default: '200' },
    runs: { type: 'string', default: '1' },
    failures: { type: 'string', default: '1' },
    whole: { type: 'boolean', default: false },
    quiet: { type: 'boolean', default: false },
  },
})
const seed = Number(values.seed ?? Date.now() % 1_000_000_000)
const [steps, runs, failuresMax] = [Number(values.steps), Number(values.runs), Number(values.failures)]
if (!Number.isInteger(seed) || !(steps > 0) || !(runs > 0)) throw new Error('--seed N --steps M --runs K')

const sum = { passed: 0, failed: 0, simulatedMs: 0, events: 0, kills: 0, powerCuts: 0 }
const checked = new Map<string, number>()
for (let run = 0; run < runs && sum.failed < failuresMax; run++) {
  const { ran, plan } = await failing(seed + run, steps)
  for (const [what, times] of ran.checked) checked.set(what, (checked.get(what) ?? 0) + times)
  sum.simulatedMs += ran.simulatedMs
  sum.events += ran.events
  sum.kills += ran.kills
  sum.powerCuts += ran.powerCuts
  if (ran.found.length === 0) {
    sum.passed++
    if (runs === 1) console.log(`seed ${seed + run}: trace ${ran.trace}`)
    continue
  }
  sum.failed++
  console.log(`seed ${seed + run} fails: npm run simulate -- --seed ${seed + run} --steps ${steps}`)
  if (values.quiet) {
    for (const found of ran.found.slice(0, 3)) console.log(`WRONG: ${found}`)
    continue
  }
  const least = values.whole ? { plan, ran } : await shortest(seed + run, plan, ran)
  for (const line of values.whole ? ran.history : least.ran.history.slice(-400)) console.log(line.slice(0, 400))
  console.log(
    `${least.plan.length} of ${plan.length} steps are enough: ${least.plan.map(({ n, deed }) => `${n} ${deed}`).join(', ')}`,
  )
  for (const found of least.ran.found.slice(0, 10)) console.log(`WRONG: ${found}`)
}
console.log(`checked: ${[...checked].map(([what, times]) => `${times} ${what}`).join(', ')}`)
console.log(
  `${Math.round(sum.simulatedMs / 60_000)} minutes simulated, ${sum.events} events, ${sum.kills} kills, ${sum.powerCuts} power cuts`,
)
console.log(`${sum.passed} passed, ${sum.failed} failed`)
process.exitCode = sum.failed === 0 && sum.passed > 0 ? 0 : 1
