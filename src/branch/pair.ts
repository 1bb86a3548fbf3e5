// Two partitions that are to be merged, and what was asked for.

import type { CodecName } from '../../protocol/records/compression.ts'
import type { Log } from '../log/log.ts'
import type { ConflictRule, Strategy } from './commands.ts'
import type { Knowledge } from './knowledge.ts'
import type { OwnProducer } from './merge-writer.ts'
import type { Turns } from './reading.ts'

/** A value of a key, where it stands. */
export type Version = { readonly offset: number; readonly timestamp: number; readonly value: Buffer | null }

export type Side = {
  readonly topic: string
  readonly log: Log
  readonly knowledge: Knowledge
  /** Compaction leaves here, of every key, the newest record that this branch knows. */
  readonly sparesFor?: string
  /** The number of a revision, by its offset, where keep rules take what they take. */
  readonly revAt?: (offset: number) => number | undefined
}

export type PairOptions = {
  /** Of the merge. */
  readonly id: string
  readonly partition: number
  /** Merged up to `end`, where everything is decided; `knowledge` as it was there. */
  readonly source: Side & { readonly end: number }
  readonly target: Side & {
    readonly messageBytesMax: number
    readonly mergeBytesMax?: number
    readonly codec: CodecName | undefined
    /** It is compacted: records without a key have no place in it. */
    readonly needsKeys?: boolean
  }
  readonly strategy: Exclude<Strategy, 'fast-forward'>
  readonly fields: 'json' | undefined
  readonly onConflict: ConflictRule
  /** Whether a key is to be merged; absent: all are. */
  readonly wants?: (key: Buffer) => boolean
  /** A choice of keys leaves the vector alone. */
  readonly isPick: boolean
  /** Keys of the target that must not have changed. */
  readonly reads: readonly Buffer[]
  /** Keys that stand in open conflict between the two, as keyText gives them. */
  readonly open: ReadonlyMap<string, { readonly base?: Version }>
  readonly producer: OwnProducer
  /** Only to be told: nothing is encoded. */
  readonly isOnlyTold?: boolean
  /** 32 bytes of chance. */
  readonly seed: Buffer
  readonly turns: Turns
  /** How many keys are to be told of. */
  readonly keysShown: number
}

/** A key that a plan tells of. */
export type ShownKey = { key: Buffer; kind: string; source: number; target?: number }
