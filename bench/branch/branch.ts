// What branches cost: their making, their reading, their merging, and what those who work meanwhile notice. Only twiglog has them, so the
// figures stand against aims of their own and against the same without branches.
import { journeyOf, type Part } from '../parts.ts'
import { whileProducing } from './busy.ts'
import { byDepth } from './depth.ts'
import { gateOfMerge } from './gate.ts'
import { manyTopics } from './many.ts'
import { mergeByKeys } from './merge.ts'
import { forkBySize } from './size.ts'

const parts: readonly Part[] = [
  { name: 'branch-many', summary: 'a fork of 1,000 topics x 3 partitions at one cut', run: manyTopics },
  { name: 'branch-depth', summary: 'forks and fetches 1, 20 and 64 branches deep', run: byDepth },
  { name: 'branch-busy', summary: 'acknowledgements while a topic is forked 100 times a second', run: whileProducing },
  { name: 'branch-merge', summary: 'plans and merges by changed keys and by size of the topic', run: mergeByKeys },
  { name: 'branch-gate', summary: 'a merge of 1,000,000 keys while producing', run: gateOfMerge },
  // Last, for it leaves the page cache full.
  { name: 'branch-size', summary: 'forks of a topic of 0.1, 1 and 10 GB, in ms and bytes', run: forkBySize },
]

export const branch = journeyOf('branch', 'what branches cost: the parts below, one after another', parts)
export const branchParts = parts.map((part) => journeyOf(part.name, part.summary, [part]))
