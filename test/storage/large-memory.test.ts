// Memory for what is large is memory like any other, and the system knows that it may give large pages for it.

import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { largeMemory, largePageBytes } from '../../src/storage/large-memory.ts'
import { canMap } from '../../src/storage/mapped-file.ts'

/** Bytes for which large pages may be given. */
function advised(): number {
  let sum = 0
  let size = 0
  for (const line of readFileSync('/proc/self/smaps', 'latin1').split('\n')) {
    size = Number(/^Size: +(\d+) kB/.exec(line)?.[1] ?? size)
    if (/^VmFlags:.* hg\b/.test(line)) sum += size * 1024
  }
  return sum
}

test.each([1, 4096, largePageBytes - 1, largePageBytes, 3 * largePageBytes])(
  '%i bytes can be written and read',
  (byteCount) => {
    const [first, second] = [largeMemory(byteCount), largeMemory(byteCount)]
    expect(first.length).toBe(byteCount)
    first.fill(1)
    second.fill(2)
    expect(first.every((byte) => byte === 1)).toBe(true)
    expect(second.every((byte) => byte === 2)).toBe(true)
  },
)

const hasLargePages = canMap() && existsSync('/sys/kernel/mm/transparent_hugepage/enabled')

test.runIf(hasLargePages)('large pages are asked for where whole ones are wanted', () => {
  const before = advised()
  const small = largeMemory(largePageBytes / 2)
  expect(advised()).toBe(before)
  const large = largeMemory(4 * largePageBytes)
  expect(advised()).toBe(before + 4 * largePageBytes)
  expect(small.length + large.length).toBe(4.5 * largePageBytes)
})
