// KIP-320: a client that knows another leader's history is told so before it reads ours.

import { Refusal } from '../../protocol/errors.ts'
import type { Partition } from '../broker/partition.ts'

/** `known`: the epoch the client believes to be current, -1 where it does not say. */
export function checkLeaderEpoch(known: number, partition: Partition): Refusal | undefined {
  if (known === -1 || known === partition.leaderEpoch) return undefined
  return new Refusal(known < partition.leaderEpoch ? 'FENCED_LEADER_EPOCH' : 'UNKNOWN_LEADER_EPOCH')
}
