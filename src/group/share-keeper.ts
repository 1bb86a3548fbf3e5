// What groups ask of the room above that remembers which records share groups are done with. Only an interface: this room
// does not know records in flight.

import type { ErrorName } from '../../protocol/errors.ts'
import type { PlantedShare } from '../branch/lineage.ts'

export interface ShareKeeper {
  /** Groups of which anything is remembered. */
  groups(): readonly string[]
  /** Whether it is remembered what a group has done in a partition. */
  keeps(groupId: string, topicId: string, partition: number): boolean
  /** Whether what is remembered of it cannot be read now. */
  isUnreadable(groupId: string, topicId: string, partition: number): boolean
  /** Begins to remember. Answers when that is in the log. */
  initialise(groupId: string, topicId: string, partitions: readonly number[]): Promise<ErrorName>
  /** A group goes on from here. */
  alter(groupId: string, topicId: string, partition: number, startOffset: number): Promise<ErrorName>
  /** How far groups have come in a topic, those that have begun to read it. */
  ofTopic(topicId: string): Iterable<PlantedShare>
  /** A group has come so far, whatever was known of it there. Rejects with StorageError. */
  plant(share: PlantedShare): Promise<void>
  /** Forgets what groups have done in topics that are not there. */
  forgetGone(): Promise<void>
  /** Forgets what a group has done, in one topic or in all. */
  forget(groupId: string, topicId?: string): Promise<ErrorName>
  /** Nothing was heard of somebody for too long. */
  onMemberGone(groupId: string, memberId: string): Promise<void>
}

/** Where no records are shared out. */
export const noShareKeeper: ShareKeeper = {
  groups: () => [],
  keeps: () => true,
  isUnreadable: () => false,
  initialise: async () => 'NONE',
  alter: async () => 'NONE',
  ofTopic: () => [],
  plant: async () => {},
  forgetGone: async () => {},
  forget: async () => 'NONE',
  onMemberGone: async () => {},
}
