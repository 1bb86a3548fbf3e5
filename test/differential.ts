// Asks two running brokers the same and prints where their answers differ: `node dist/test/differential.js KAFKA OURS
// [SCENARIO…]`, both as HOST:PORT, both fresh and with node.id 1. Starts nothing itself; ends with `N answers, N
// differences, N accepted` and a status of 1 where a difference is not accepted.

import { accepted } from './differential/accepted.ts'
import { commonLength, type Difference, differences, gathered } from './differential/compare.ts'
import { onDemand, scenarios } from './differential/scenarios/index.ts'
import { Side } from './differential/side.ts'

const [kafka, twiglog, ...wanted] = process.argv.slice(2)
if (kafka === undefined || twiglog === undefined) {
  console.error('usage: differential HOST:PORT HOST:PORT [SCENARIO…]')
  process.exit(2)
}

const base = Math.floor(Date.now() / 1000) * 1000 - 3_600_000
const theirs = new Side(kafka, base)
const ours = new Side(twiglog, base)
const served = await Promise.all([theirs.begin(), ours.begin()])
const shared = new Map<number, readonly [number, number]>()
for (const [key, [from, to]] of served[0]) {
  const other = served[1].get(key)
  if (other !== undefined) shared.set(key, [Math.max(from, other[0]), Math.min(to, other[1])])
}
theirs.versions = shared
ours.versions = shared

const unexpected: Difference[] = []
const expected = new Map<string, number>()
const unplayed: string[] = []
let asked = 0
const all = Object.entries(scenarios)
const named = [...all, ...Object.entries(onDemand)].filter(([name]) => wanted.includes(name))
for (const [name, scenario] of wanted.length > 0 ? named : all) {
  theirs.asked.length = 0
  ours.asked.length = 0
  const [there, here] = await Promise.allSettled([scenario(theirs), scenario(ours)])
  for (const side of [theirs, ours]) side.tellLate()
  const broken = there.status === 'rejected' ? there : here
  if (broken.status === 'rejected') {
    unplayed.push(`${name} was not played to its end: ${(broken.reason as Error).message}`)
    for (const side of [theirs, ours]) side.close() // what was asked last may still be answered
    continue
  }
  asked += theirs.asked.length
  const common = commonLength(theirs.asked, ours.asked)
  if (common < Math.max(theirs.asked.length, ours.asked.length))
    unplayed.push(`${name} went apart: ${(theirs.asked[common] ?? ours.asked[common])!.label} was asked of one alone`)
  for (const difference of differences(theirs.asked, ours.asked)) {
    const known = accepted.find(({ matches }) => matches(difference))
    if (known === undefined) unexpected.push(difference)
    else expected.set(known.why, (expected.get(known.why) ?? 0) + 1)
  }
}
const lines = [...unplayed, ...gathered(unexpected)]
for (const line of lines) console.log(line)
for (const [why, count] of expected) console.log(`accepted ${count} ×: ${why}`)
const acceptedCount = [...expected.values()].reduce((sum, count) => sum + count, 0)
console.log(`${asked} answers, ${lines.length} differences, ${acceptedCount} accepted`)
theirs.close()
ours.close()
process.exitCode = lines.length > 0 ? 1 : 0
