// Every vector that the Java client made: read and written as it reads and writes them.

import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { runGolden } from '../golden.ts'

const folder = fileURLToPath(new URL('../golden', import.meta.url))

/** What brokers and controllers say to each other: no client sends it, so there is no table for it. */
const betweenBrokers = [52, 53, 54, 56, 58, 59, 62, 63, 67, 70, 73, 80, 81, 82, 83, 84, 85, 86, 87, 94]

test('every golden vector is read to the same values and written to the same bytes', () => {
  const { passed, failed, skipped, faults, files } = runGolden(folder)
  expect(faults).toEqual([])
  expect(failed).toBe(0)
  expect(passed).toBeGreaterThan(7500)
  expect([...files.keys()]).toEqual(readdirSync(folder).sort())
  const unread = [...files].filter(([, counts]) => counts.passed === 0).map(([file]) => Number.parseInt(file, 10))
  expect(unread).toEqual(betweenBrokers)
  expect(skipped).toBe([...files.values()].reduce((sum, counts) => sum + (counts.passed === 0 ? counts.skipped : 0), 0))
})
