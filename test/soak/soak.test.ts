// The soak in its short form: everything works beside everything else, and the folder is clean at the end. Whether memory
// stays flat only a long one can tell: npm run soak -- --minutes 30.

import { existsSync, rmSync } from 'node:fs'
import { expect, test } from 'vitest'
import { built } from '../built.ts'
import { Soak } from './soak.ts'

const shortSeconds = 12

test.skipIf(!existsSync('/proc/self/smaps'))(
  'a broker under a load of every kind does all of it, and leaves a clean folder',
  { timeout: 400_000 },
  async () => {
    const main = await built('bundle/main.js')
    const settling = await built('test/soak/settling.js')
    const command = [process.execPath, await built('compat/node/kafkajs.js')]
    const said: string[] = []
    const seed = Date.now() % 1_000_000
    const soak = new Soak({
      ...{ seconds: shortSeconds, everySeconds: 3, seed, main, settling },
      clients: [{ name: 'kafkajs', command, cwd: process.cwd() }],
      say: (line) => said.push(line),
    })
    try {
      const { wrong, readings } = await soak.run()
      expect(wrong, `seed ${seed}\n${said.join('\n')}`).toEqual([])
      expect(readings.length).toBeGreaterThan(1)
      for (const { anonymousMb, heapMb, descriptors, maps } of readings)
        for (const held of [anonymousMb, heapMb, descriptors, maps]) expect(held).toBeGreaterThan(0)
    } finally {
      await soak.close()
      rmSync(soak.broker.root, { recursive: true, force: true })
    }
  },
)
