// The soak at the command line:
//
//   npm run soak -- --minutes 30                         mixed load on one broker, a line every ten seconds, of what it holds when garbage is gone
//   npm run soak -- --minutes 30 --clients kafkajs       with this client alone; otherwise all whose toolchains are here
//   npm run soak -- --properties --minutes 30            the property tests instead, with new seeds all the time
//
// SIGINT ends it early, and what was seen so far is judged; whether it grows, a run of eight minutes tells. The last line is `N passed, N failed, N skipped`.

import { rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { builtBroker, cast, clientNames } from '../crash-lab/casting.ts'
import { tellsAfterSeconds } from './flat.ts'
import { Soak } from './soak.ts'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    every: { type: 'string', default: '10' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    clients: { type: 'string', default: clientNames.join(',') },
    node: { type: 'string', multiple: true, default: [] },
    properties: { type: 'boolean', default: false },
  },
})
const minutes = Number(values.minutes)
if (!(minutes > 0)) throw new Error('--minutes N: for how long')

if (values.properties) {
  const { playProperties } = await import('./properties.ts')
  process.exitCode = playProperties(minutes)
} else {
  await soak()
  process.exit() // clients that were cut off may still be trying
}

async function soak(): Promise<void> {
  const { clients, absent } = cast(values.clients.split(','))
  for (const each of absent) console.log(`not there: ${each}`)
  console.log(`${minutes} minutes, seed ${values.seed}, ${clients.map(({ name }) => name).join(', ')}`)
  const one = new Soak({
    seconds: 60 * minutes,
    everySeconds: Number(values.every),
    seed: Number(values.seed),
    main: builtBroker,
    settling: fileURLToPath(new URL('settling.js', import.meta.url)),
    clients,
    say: console.log,
    ofNode: values.node,
  })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => one.endSoon())
  let failed = 1
  try {
    const { lived, trends, wrong } = await one.run()
    for (const [name, { turns, failures, lastError }] of lived)
      console.log(`${name}: ${turns} times, ${failures} failed${failures > 0 ? ` (${lastError})` : ''}`)
    for (const each of wrong) console.log(`WRONG: ${each}`)
    failed = wrong.length
    const isShort = trends.length === 0
    if (isShort) {
      const enough = Math.ceil(tellsAfterSeconds(Number(values.every)) / 60)
      console.log(
        `not judged: whether it holds more and more; ${enough} minutes tell, with a line every ${values.every} s`,
      )
    }
    const passed = lived.size + trends.length + 1 - Math.min(failed, lived.size)
    console.log(`${passed} passed, ${failed} failed, ${absent.length + (isShort ? 1 : 0)} skipped`)
  } finally {
    await one.close()
    if (failed === 0) rmSync(one.broker.root, { recursive: true, force: true })
    else console.log(`what was left is in ${one.broker.root}`)
  }
  process.exitCode = failed === 0 ? 0 : 1
}
