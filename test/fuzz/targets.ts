// Every decoder that there is, in one list.

import { blockTargets } from './block-targets.ts'
import { edgeTargets } from './edge-targets.ts'
import { fileTargets } from './file-targets.ts'
import type { Target } from './fuzzing.ts'
import { recordTargets } from './record-targets.ts'
import { textTargets } from './text-targets.ts'
import { wireTargets } from './wire-targets.ts'

export const targets: readonly Target[] = [
  ...wireTargets,
  ...recordTargets,
  ...fileTargets,
  ...blockTargets,
  ...textTargets,
  ...edgeTargets,
]
