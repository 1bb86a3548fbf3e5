// The stores that a contract is held against, each in a fresh place.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FaultyStore } from '../../src/storage/faulty-file.ts'
import type { Store } from '../../src/storage/file.ts'
import { canMap, MappedStore } from '../../src/storage/mapped-file.ts'
import { MemoryStore } from '../../src/storage/memory-file.ts'
import { PlainStore } from '../../src/storage/plain-file.ts'

export type Place = {
  open(): Store
  /** The same place as a new process would find it; memory stores live on. */
  reopen(): Store
  remove(): void
}

function onDisk(make: (root: string) => Store): Place {
  const root = mkdtempSync(join(tmpdir(), 'twiglog-test-'))
  return {
    open: () => make(root),
    reopen: () => make(root),
    remove: () => rmSync(root, { recursive: true, force: true }),
  }
}

function inMemory(store: Store): Place {
  return { open: () => store, reopen: () => store, remove: () => {} }
}

export const places: readonly [name: string, make: () => Place][] = [
  ['memory', () => inMemory(new MemoryStore())],
  ['faulty', () => inMemory(new FaultyStore())],
  ['plain', () => onDisk((root) => new PlainStore(root))],
  ...(canMap() ? ([['mapped', () => onDisk((root) => new MappedStore(root))]] as [string, () => Place][]) : []),
]
