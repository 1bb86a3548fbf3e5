// The cut: in one turn of the event loop every partition's log is forked, so nobody appends, retains or compacts in
// between; what follows makes it durable, then true, then visible.
//
//   make topics/<id>.tmp │ link into it ─ sync folders ─ groups' commits ─ metadata record (true from here on) ─ rename ─ listed
//
// A kill before the record leaves a .tmp that the next start removes; after it, one that the next start renames.

import { type Refusal, StorageError } from '../../protocol/errors.ts'
import { heritageAt } from '../branch/heritage.ts'
import type { ForkedPartition, ForkedTopic, ForkRecord, LineageRecord } from '../branch/lineage.ts'
import type { Broker } from '../broker/broker.ts'
import type { ForkedSeat } from '../broker/leaderships.ts'
import type { Partition } from '../broker/partition.ts'
import type { Topic } from '../broker/topic.ts'
import { forkedFolder } from '../broker/topic-folders.ts'
import type { Groups } from '../group/coordinator.ts'
import { type Fork, forkLog } from '../log/fork.ts'
import type { CutTransaction } from '../log/inherited.ts'
import { recordsEnd } from '../log/records-end.ts'
import { afterOthers } from '../log/walk.ts'
import { randomId } from '../storage/clock.ts'
import type { Transactions } from '../transaction/coordinator.ts'
import { diskRefusal } from './disk-refusal.ts'
import { commitsOf, plant, plantShares, sharesOf } from './fork-groups.ts'
import { type PlannedFork, refuseGone } from './fork-plan.ts'
import type { ForkTopic } from './fork-request.ts'
import { isMissing } from './not-there.ts'
import type { ReadyRooms, Room } from './ready-rooms.ts'

export type Rooms = {
  readonly broker: Broker
  readonly groups: Groups
  readonly transactions: Transactions
}

type Asked = {
  readonly id: string
  readonly by: string
  readonly set: string | undefined
  readonly command: number | undefined
  readonly isReset?: boolean
}

/** One topic, cut and not yet true. */
export type Cut = {
  readonly id: string
  readonly isReady: boolean
  readonly plan: PlannedFork
  readonly forks: readonly Fork[]
}

/**
 * The ids that branches will have, their folders made: that takes longer than the cut, which holds the event loop. Rejects
 * with StorageError.
 */
export async function makeRoom(topics: readonly ForkTopic[], broker: Broker, ready: ReadyRooms): Promise<Room[]> {
  ready.asked()
  const wanted: Room[] = []
  const rooms = topics.map(({ from }) => {
    const needsFolder = hasRecords(broker.topic(from))
    const room = (needsFolder ? ready.take() : undefined) ?? { id: randomId(broker.clock), isReady: false }
    if (needsFolder && !room.isReady) wanted.push(room)
    return room
  })
  if (wanted.length > 0) await broker.store.makeFolders(wanted.map(({ id }) => forkedFolder(id)))
  return rooms
}

/** Whether there may be something to share; what is not open is not opened for it. */
const hasRecords = (topic: Topic | undefined): boolean =>
  topic?.partitions.some((of) => !of.isOpen || of.offline !== undefined || of.logEndOffset > of.logStartOffset) ?? false

/** Nothing became of them. */
export async function giveRoomUp(rooms: readonly Room[], { store }: Broker): Promise<void> {
  const gone = rooms.map(async ({ id }) => {
    try {
      await store.discardFolder(forkedFolder(id))
    } catch (cause) {
      console.error(`${forkedFolder(id)} could not be removed: ${String(cause)}`)
    }
  })
  await Promise.all(gone)
}

/**
 * Makes planned forks true, all or none. `made`: one for each, from makeRoom. Answers a refusal where the disk does not let it. Then nothing is left; but if the
 * disk fails behind the commit point, the names stay taken until the next start, which decides: for a command it rejects with StorageError then.
 */
export async function carryOut(
  planned: readonly PlannedFork[],
  made: readonly Room[],
  asked: Asked,
  rooms: Rooms,
): Promise<ForkRecord | Refusal> {
  const { broker } = rooms
  const release = broker.reserveNames(planned.map(({ asked: { to } }) => to))
  const cuts: Cut[] = []
  let isRecorded = false
  let isOver = false
  try {
    const at = broker.clock.now()
    planned.forEach((plan, i) => {
      cut(made[i]!, plan, cuts, rooms)
    })
    await afterOthers()
    await settle(cuts, broker)
    checkThere(planned, broker)
    const topics = cuts.map(forkedTopic(broker))
    const { id, by, set, command, isReset } = asked
    const commits = cuts.flatMap((one) => commitsOf(one, set, rooms))
    if (!isReset) await plant(commits, rooms.groups)
    // They are of a topic's id, so of nobody else's, even where the name is another's still.
    await plantShares(
      cuts.flatMap((one) => sharesOf(one, set, rooms)),
      rooms.groups,
    )
    checkThere(planned, broker)
    const record: ForkRecord = {
      v: 1,
      type: 'fork',
      id,
      at,
      by,
      ...(command === undefined ? {} : { command }),
      ...(set === undefined ? {} : { set }),
      ...(isReset ? { isReset } : {}),
      ...(isReset && commits.length > 0 ? { commits } : {}),
      topics,
    }
    const seen = broker.addForked(
      cuts.map(({ id, plan }) => ({
        id,
        name: plan.asked.to,
        partitions: plan.parent.partitions.length,
        configs: plan.configs,
        at,
      })),
      cuts.map(({ id, plan }) => seatsOf(id, plan)),
      record,
      planned.flatMap(({ replaced }) => replaced ?? []),
      cuts.flatMap((one) => successionOf(one, broker)),
      isReset ? () => plant(commits, rooms.groups) : undefined,
    )
    isRecorded = true
    await seen
    isOver = true
    return record
  } catch (cause) {
    // A record that may be on stable storage cannot be taken back: the next start finds files and record, and finishes.
    if (!isRecorded) await giveRoomUp(made, broker)
    // Whoever sent a command is told by that start, and by nobody before: who was told that it was rejected would find it done.
    if (isRecorded && asked.command !== undefined) throw cause
    const gone = isRecorded || !isMissing(cause) ? undefined : refuseGone(planned, broker)
    return gone ?? diskRefusal(cause)
  } finally {
    if (isOver || !isRecorded) release()
  }
}

/** While names were made durable, or commits were written, others may have deleted what the cut is about. Throws StorageError. */
function checkThere(planned: readonly PlannedFork[], broker: Broker): void {
  const gone = refuseGone(planned, broker)
  if (gone !== undefined) throw new StorageError('ENOENT', gone.message)
}

/** In one turn with all the others of the cut. Throws StorageError, Corruption. */
function cut({ id, isReady }: Room, plan: PlannedFork, cuts: Cut[], { broker, transactions }: Rooms): void {
  const forks: Fork[] = []
  cuts.push({ id, isReady, plan, forks })
  const now = broker.clock.now()
  const outcomeOf = ({ producerId }: CutTransaction) => transactions.decided(producerId) ?? 'ABORT'
  for (const partition of plan.parent.partitions) {
    const { log } = partition
    const wanted = plan.offsets[partition.index] ?? log.logEndOffset
    // What was planned may be gone by now: records were deleted while others of the request were judged.
    if (wanted < log.logStartOffset || wanted > log.logEndOffset) {
      throw new Error(`offset ${wanted} of ${log.folder} is not there any more`)
    }
    const offset = recordsEnd(log, wanted)
    const folder = `${forkedFolder(id)}/${partition.index}`
    const leaderEpoch = epochOn(partition, plan.replaced)
    const fork = forkLog(broker.store, log, folder, { offset, leaderEpoch, now, outcomeOf })
    forks.push(fork)
    partition.numbering.carryTo(folder, fork.inherited)
  }
}

/** Names and own bytes are on stable storage when it resolves, and the parents' bytes as far as they were promised to be. */
async function settle(cuts: readonly Cut[], broker: Broker): Promise<void> {
  const work: Promise<unknown>[] = []
  const folders: string[] = []
  for (const { id, isReady, plan, forks } of cuts) {
    const hasOwn = forks.some((fork) => fork.hasOwn)
    const hasShared = forks.some((fork) => fork.hasShared)
    if (hasShared && isReady && !hasOwn) work.push(broker.store.syncNames(forkedFolder(id)))
    else if (hasShared) folders.push(forkedFolder(id))
    forks.forEach((fork, i) => {
      if (fork.hasOwn) {
        folders.push(`${forkedFolder(id)}/${i}`)
        work.push(fork.flush())
      }
      const parent = plan.parent.partitions[i]!
      if (parent.promisesFlush && parent.log.securedOffset < fork.inherited.offset) work.push(parent.flush())
    })
  }
  if (folders.length > 0) work.push(broker.store.syncFolder(...folders))
  await Promise.all(work)
}

const forkedTopic =
  (broker: Broker) =>
  ({ id, plan, forks }: Cut): ForkedTopic => {
    const { asked, parent, groups, inside } = plan
    const isThere = (topicId: string) => broker.topicById(topicId) !== undefined
    const partitions = forks.map(({ inherited }, i): ForkedPartition => {
      const flushedOffset = Math.min(parent.partitions[i]!.log.securedOffset, inherited.offset)
      return { ...inherited, flushedOffset, ...heritageAt(broker.lineage, parent.id, i, inherited.offset, isThere) }
    })
    const sum = (key: 'sharedBytes' | 'copiedBytes') => forks.reduce((total, fork) => total + fork[key], 0)
    return {
      id,
      name: asked.to,
      ...(inside === undefined ? {} : { inside }),
      from: parent.name,
      fromId: parent.id,
      groups,
      partitions,
      sharedBytes: sum('sharedBytes'),
      copiedBytes: sum('copiedBytes'),
    }
  }

/** Who has taken its parent's name has it still when it is made anew, of whatever: that one can take it back. */
function successionOf({ id, plan: { replaced } }: Cut, { lineage }: Broker): LineageRecord[] {
  if (replaced === undefined) return []
  const { fromId } = lineage.branches.get(replaced.id)!
  const isSuccessor = lineage.successor(fromId) === replaced.id
  const standsForItself = lineage.standing.standsForItself(replaced.id)
  return [
    ...(isSuccessor ? [{ v: 1, type: 'successor', id: fromId, by: id } as const] : []),
    ...(standsForItself ? [{ v: 1, type: 'standing', id, standsForItself } as const] : []),
  ]
}

/** Above the parent's, and above that of the branch before: clients that know it by name believe nothing that is older. */
const epochOn = ({ leaderEpoch, index }: Partition, replaced: Topic | undefined): number =>
  Math.max(leaderEpoch, replaced?.partitions[index]?.leaderEpoch ?? 0) + 1

/** A client that knows the parent's epochs sees that this is another history (KIP-320). */
function seatsOf(id: string, { parent, asked, replaced }: PlannedFork): ForkedSeat {
  const partitions = parent.partitions.map((partition, i) => ({
    partition: i,
    epoch: epochOn(partition, replaced),
    replicas: asked.replicas?.[i],
  }))
  return {
    id,
    partitions,
    replicationFactor: asked.replicationFactor ?? parent.partitions[0]!.leadership.replicas.length,
  }
}
