// A folder with more to be said of than a call takes arguments: `twiglog check` ended with an error of the stack.

import { expect, test } from 'vitest'
import { checkStore } from '../../src/cli/check.ts'
import { segmentName } from '../../src/log/segment-name.ts'
import { MemoryStore } from '../../src/storage/memory-file.ts'

test('a hundred and fifty thousand findings are told, each for itself', () => {
  const store = new MemoryStore()
  const count = 150_000
  for (let i = 0; i < count; i++) store.save(`metadata/${segmentName(i, 'index')}`, Buffer.alloc(0), false)
  expect(checkStore(store).findings).toHaveLength(count)
})
