// Holds what a log notes of itself, its checkpoints and what it remembers of producers, against the batches that are there.

import type { Store } from '../storage/file.ts'
import type { Finding } from './check.ts'
import { type Checkpoint, checkpointNames, parseCheckpoint } from './checkpoint.ts'
import { snapshotOffsets } from './producer-snapshot.ts'
import { ProducerState } from './producer-state.ts'
import { segmentName } from './segment-name.ts'

/** `checkpoint`: the newest; `isLost`: a power cut may have taken what it tells of. */
export function* checkpointFindings(
  store: Store,
  folder: string,
  checkpoint: Checkpoint | undefined,
  logEndOffset: number,
  isLost: boolean,
): Generator<Finding> {
  let newest = ''
  for (const name of checkpointNames) {
    const file = `${folder}/${name}`
    const bytes = store.load(file)
    if (bytes === undefined) continue
    const found = parseCheckpoint(bytes)
    if (found !== undefined && found.count === checkpoint?.count) newest ||= file
    if (found !== undefined) continue
    const isExpected = bytes.length === 0 || store.mayHaveLost(file)
    yield { kind: isExpected && name !== 'checkpoint' ? 'note' : 'damage', file, message: 'is no checkpoint' }
  }
  if (checkpoint === undefined) return
  const { logStartOffset, epochs, recovered, compactedOffset = 0 } = checkpoint
  const file = newest || `${folder}/${checkpointNames[0]}`
  const isOrdered = epochs.every(([epoch, start], i) => {
    const [epochBefore, startBefore] = epochs[i - 1] ?? [-1, -1]
    return epoch > epochBefore && start > startBefore
  })
  if (!isOrdered) yield { kind: 'damage', file, message: 'leader epochs and their offsets do not ascend' }
  const beyond = [logStartOffset, epochs.at(-1)?.[1] ?? 0].find((offset) => offset > logEndOffset)
  if (beyond !== undefined) {
    yield {
      kind: isLost ? 'note' : 'damage',
      file,
      message: `tells of offset ${beyond}; the log ends at ${logEndOffset}`,
    }
  }
  const isThere = recovered.offset <= Math.max(logEndOffset, logStartOffset, compactedOffset)
  if (isThere) return
  yield { kind: 'damage', file, message: `vouches for offset ${recovered.offset}; the log ends at ${logEndOffset}` }
}

export function* snapshotFindings(store: Store, folder: string, logEndOffset: number): Generator<Finding> {
  for (const offset of snapshotOffsets(store, folder)) {
    const file = `${folder}/${segmentName(offset, 'snapshot')}`
    const bytes = store.load(file)!
    try {
      ProducerState.decode(bytes)
      if (offset > logEndOffset)
        yield { kind: 'note', file, message: `is as of offset ${offset}; the log ends at ${logEndOffset}` }
    } catch {
      const isExpected = bytes.length === 0 || store.mayHaveLost(file)
      yield { kind: isExpected ? 'note' : 'damage', file, message: 'is no snapshot of producers' }
    }
  }
}
