// npm run fuzz -- [--minutes N | --inputs N] [--seed S] [--target NAME] [--keep]
//
// Every decoder, in turn, with bytes that are nearly right. A fault is printed with its seed, its bytes are put into
// test/corpus, where the short form finds them from then on, and the run ends with status 1. `--keep` puts a few of the
// inputs there too whose outcome was new. The work is done by a thread: who hangs is told of by the one that watches.

import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { isMainThread, Worker, workerData } from 'node:worker_threads'
import { corpusOf, type Fault, Fuzzing, keep } from './fuzzing.ts'
import { targets } from './targets.ts'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string' },
    inputs: { type: 'string', default: '10000000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000_000) },
    target: { type: 'string' },
    keep: { type: 'boolean', default: false },
  },
})
const corpus = 'test/corpus'
const chosen = targets.filter(({ name }) => values.target === undefined || values.target === name)
if (chosen.length === 0) throw new Error(`There is ${targets.map(({ name }) => name).join(', ')}.`)

/** Inputs of a decoder before it is the next one's turn. */
const roundInputs = 1000
/** What the thread may take beyond what it had when all decoders had been used once. */
const growthBytesMax = 512 * 1024 * 1024
const keptEach = 8
/** No input takes as long, however slow the machine. */
const hangMs = 60_000
const inputBytesMax = 64 * 1024

/** What is being played: a count, which decoder, how many bytes, and the bytes. */
type Desk = { readonly numbers: Int32Array; readonly bytes: Uint8Array }
const deskOf = (shared: SharedArrayBuffer): Desk => ({
  numbers: new Int32Array(shared, 0, 4),
  bytes: new Uint8Array(shared, 16),
})

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void
async function settled(): Promise<void> {
  for (let round = 0; round < 3; round++) {
    collectGarbage()
    await new Promise((resolve) => setImmediate(resolve))
  }
}

async function work(seed: number, { numbers, bytes: shown }: Desk): Promise<void> {
  const until = values.minutes === undefined ? Infinity : Date.now() + Number(values.minutes) * 60_000
  const inputsMax = values.minutes === undefined ? Number(values.inputs) : Infinity
  const all = chosen.map((target, i) => {
    const fuzzing = new Fuzzing(target, seed + i, corpusOf(corpus, target.name))
    fuzzing.onInput = (bytes) => {
      numbers[1] = i
      numbers[2] = Math.min(bytes.length, inputBytesMax)
      shown.set(bytes.length > inputBytesMax ? bytes.subarray(0, inputBytesMax) : bytes)
      numbers[0] = (numbers[0]! + 1) | 0
    }
    return fuzzing
  })
  /** One for each decoder: the others go on. */
  const faults = new Map<Fuzzing, Fault>()
  const note = (fuzzing: Fuzzing, fault: Fault | undefined): void => {
    if (fault === undefined) return
    faults.set(fuzzing, fault)
    tell(fault, seed)
  }
  for (const fuzzing of all) note(fuzzing, fuzzing.replay())
  const used = () => getHeapStatistics().used_heap_size + process.memoryUsage().external
  const total = () => all.reduce((sum, { inputs }) => sum + inputs, 0)
  let before: number | undefined
  let told = Date.now()
  while (faults.size < all.length && Date.now() < until && total() < inputsMax) {
    for (const fuzzing of all) {
      if (Date.now() >= until) break
      // What native code holds is let go between turns.
      await new Promise((resolve) => setImmediate(resolve))
      if (!faults.has(fuzzing)) note(fuzzing, fuzzing.run(roundInputs * (fuzzing.target.weight ?? 1)))
    }
    before ??= used()
    if (used() - before > growthBytesMax) await settled()
    if (used() - before > growthBytesMax) throw new Error(`${used() - before} bytes are not let go`)
    if (Date.now() - told > 30_000) {
      told = Date.now()
      console.log(`${total()} inputs, ${Math.round(process.memoryUsage().rss / 1e6)} MB`)
    }
  }
  for (const { target, inputs, found, slowest } of all) {
    const counts = `${String(inputs).padStart(9)} inputs, ${String(found.length).padStart(5)} outcomes`
    console.log(`${target.name.padEnd(22)} ${counts}, slowest ${Math.round(slowest)} ms`)
    if (values.keep) for (const bytes of found.slice(-keptEach)) keep(corpus, target.name, bytes)
  }
  console.log(`${total()} inputs, ${faults.size} faults`)
  process.exitCode = faults.size === 0 ? 0 : 1
}

function tell({ target, bytes, cause }: Fault, seed: number): void {
  console.log(`FAULT in ${target}, seed ${seed}, bytes kept as ${keep(corpus, target, bytes)}`)
  console.log(bytes.toString('hex').slice(0, 4000))
  console.log(cause)
}

function watch(): void {
  const seed = Number(values.seed)
  console.log(
    `seed ${seed}: ${chosen.length} decoders, ${values.minutes === undefined ? `${values.inputs} inputs` : `${values.minutes} minutes`}`,
  )
  const shared = new SharedArrayBuffer(16 + inputBytesMax)
  const { numbers, bytes } = deskOf(shared)
  const worker = new Worker(fileURLToPath(import.meta.url), {
    argv: process.argv.slice(2),
    workerData: { shared, seed },
  })
  let [last, since] = [-1, Date.now()]
  const timer = setInterval(() => {
    if (numbers[0] !== last || last === 0) [last, since] = [numbers[0]!, Date.now()]
    if (Date.now() - since < hangMs) return
    const cause = new Error(`no end after ${hangMs} ms`)
    tell({ target: chosen[numbers[1]!]!.name, bytes: Buffer.from(bytes.slice(0, numbers[2])), cause }, seed)
    process.exit(1)
  }, 1000)
  worker.on('error', (cause) => {
    console.log(cause)
    process.exitCode = 1
  })
  worker.on('exit', (code) => {
    clearInterval(timer)
    process.exitCode ||= code
  })
}

if (isMainThread) watch()
else await work(workerData.seed, deskOf(workerData.shared))
