// The 200 record lines of the Java client, with the native packages and without them.

import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { describe, expect, test, vi } from 'vitest'

type Line = { name: string; n: number; hex: string; validBytes: number; batches: unknown[] }

const file = new URL('../golden/record-batches.jsonl.gz', import.meta.url)
const lines = gunzipSync(readFileSync(file))
  .toString()
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as Line)

describe.each([
  ['native packages', ''],
  ['fallbacks in JavaScript', '1'],
])('record batches with %s', (_, noNative) => {
  test('every line of the Java client is read as the Java client reads it', async () => {
    vi.stubEnv('TWIGLOG_NO_NATIVE', noNative)
    vi.resetModules()
    const { describeBatches } = await import('../golden-records.ts')
    expect(lines).toHaveLength(200)
    for (const { name, n, hex, validBytes, batches } of lines) {
      expect(describeBatches(Buffer.from(hex, 'hex')), `${name} ${n}`).toEqual({ validBytes, batches })
    }
    vi.unstubAllEnvs()
  })
})
