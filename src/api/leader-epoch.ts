// Who may be asked about a partition: its leader, by clients that know the same leader (KIP-320). Whoever asks another node
// is told where to go (KIP-951).

import { Refusal } from '../../protocol/errors.ts'
import type { Partition } from '../broker/partition.ts'
import type { Context } from './api.ts'

/**
 * `known`: the epoch the client believes to be current, -1 where it does not say. Where `anyReplica` will do, followers
 * answer too. As in Kafka a node that has a replica looks at the epoch first, for it knows better who leads.
 */
export function checkLeader(
  known: number,
  partition: Partition,
  node: number,
  anyReplica = false,
): Refusal | undefined {
  const leads = partition.leader === node
  if (!leads && !partition.leadership.replicas.includes(node)) return new Refusal('NOT_LEADER_OR_FOLLOWER')
  if (known !== -1 && known !== partition.leaderEpoch) {
    return new Refusal(known < partition.leaderEpoch ? 'FENCED_LEADER_EPOCH' : 'UNKNOWN_LEADER_EPOCH')
  }
  return leads || anyReplica ? undefined : new Refusal('NOT_LEADER_OR_FOLLOWER')
}

export const currentLeader = ({ leader, leaderEpoch }: Partition) => ({ leaderId: leader, leaderEpoch })

/** Where the leaders that an answer names are reached, by the clients of this listener; each once, and those that run. */
export function endpointsOf(leaders: Iterable<number>, { broker, client }: Context) {
  const named = new Set(leaders)
  return broker
    .nodes(client.listener)
    .filter(({ nodeId }) => named.has(nodeId))
    .map(({ nodeId, host, port }) => ({ nodeId, host, port, rack: null }))
}
