// What is known of one revision, and the record that it is: what views, HTTP and the packer ask for.

import type { RecordHeader } from '../../protocol/records/record.ts'

/** How its value is stored. */
export type RevisionFormat = 'full' | 'vcdiff' | 'tombstone'

export type Revision = {
  /** 1, 2, 3 … in the order of offsets, for one key in one partition. */
  readonly rev: number
  readonly offset: number
  /** Broker's or producer's, as the topic says; ms. */
  readonly timestamp: number
  /** Of the whole value, bytes; 0 of a tombstone. */
  readonly size: number
  /** What it takes on the disk: of a delta fewer. */
  readonly stored: number
  readonly format: RevisionFormat
}

/** The record as it was produced. Its bytes are its own. */
export type RevisionRecord = {
  readonly offset: number
  readonly timestamp: number
  readonly key: Buffer
  readonly value: Buffer | null
  readonly headers: readonly RecordHeader[]
}

/** Which of a key's revisions. */
export type RevisionRange = {
  /** Only those at lower offsets. */
  readonly below?: number
  readonly newestFirst?: boolean
}
