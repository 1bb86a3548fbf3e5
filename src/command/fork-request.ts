// What is asked of a fork, whoever asks: CreateTopics with `branch.from`, a command, or a program that has the broker inside.

import type { GroupRule } from '../branch/lineage.ts'

export type ForkTopic = {
  /** An existing topic, as it is stored. */
  readonly from: string
  /** The branch, as it will be stored. */
  readonly to: string
  /** As `branch.at`; `latest` where nobody says. */
  readonly at?: string
  readonly groups?: GroupRule
  /** Laid over the parent's; `branch.ttl.ms` and `branch.protect` among them. */
  readonly configs?: Readonly<Record<string, string | null>>
  /** -1 or the parent's number. */
  readonly partitions?: number
  readonly replicationFactor?: number
  readonly replicas?: readonly (readonly number[])[]
  /** Its name inside the set, where it is not what the parent is called. */
  readonly inside?: string
}

/** One cut: all topics or none. */
export type ForkRequest = {
  /** Of the event in `__branches`; one is made where it is absent. */
  readonly id?: string
  /** The principal who asks. */
  readonly by: string
  /** Where from. Rights that count at one address alone need it. */
  readonly host?: string
  /** Offset of the command in `__branch_commands`, where one asks. */
  readonly command?: number
  readonly set?: string
  /** The branches are there, and each is made anew in its own place. */
  readonly isReset?: boolean
  readonly topics: readonly ForkTopic[]
}
