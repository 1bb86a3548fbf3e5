// @cloudpss/zstd has one context for the whole process. Packing unpacks records in a thread of its own while the main thread serves: under
// a load of zstd on Node 20 what was read was ruined, and after some minutes the broker had ended without a word. A soak found it.

import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { built } from '../built.ts'

test('threads that use zstd at the same time neither ruin each other’s bytes nor end the process', {
  timeout: 300_000,
}, async () => {
  await built('bundle/main.js')
  const program = await built('test/protocol/zstd-threads.js')
  const { status, signal, stdout } = spawnSync(process.execPath, [program], { encoding: 'utf8' })
  expect({ status, signal, said: stdout.trim().split('\n') }).toEqual({
    status: 0,
    signal: null,
    said: ['0 wrong', '0 wrong', '0 wrong'],
  })
})
