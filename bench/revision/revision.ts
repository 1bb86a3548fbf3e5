// What revisions cost those who write and read meanwhile, and who starts again: only twiglog has them, so the figures stand against
// aims of their own. What packs take and how fast single revisions are read is measured in one process, by pack.ts.
import { journeyOf, type Part } from '../parts.ts'
import { whilePacking } from './busy.ts'
import { manyKeys } from './keys.ts'

const parts: readonly Part[] = [
  {
    name: 'revision-busy',
    summary: 'acknowledgements while a topic is packed, and how fast that is',
    run: whilePacking,
  },
  { name: 'revision-keys', summary: 'one key of 1,000,000, and a start with them', run: manyKeys },
]

export const revision = journeyOf('revision', 'what revisions cost: the parts below, one after another', parts)
export const revisionParts = parts.map((part) => journeyOf(part.name, part.summary, [part]))
