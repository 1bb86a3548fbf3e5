// Who has a partition: its replicas, those of them that are in sync, and the one that leads. A value, swapped whole; what
// becomes of it when nodes come and go is decided here, as Kafka's controller decides it (4.3.1 was watched doing so).

/** `leader` is one of `isr`, or `noLeader` where that is empty; `isr` and `eligible` are parts of `replicas`. */
export type Leadership = {
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
  /** Not in sync any more, but they hold all that was committed: fewer than `min.insync.replicas` were left (KIP-966). */
  readonly eligible: readonly number[]
  readonly leader: number
  /** Grows whenever the leader changes (KIP-101). */
  readonly epoch: number
}

type IsRunning = (node: number) => boolean

export const noLeader = -1

/** Too few replicas are in sync for those who ask for all of them; it never takes more than there are. */
export const isShort = ({ isr, replicas }: Leadership, minInsyncReplicas: number): boolean =>
  isr.length < replicas.length && isr.length < minInsyncReplicas

/** The partition of a broker that is alone: it leads everything, and a restart changes no history. */
export const ledBy = (node: number): Leadership => ({
  replicas: [node],
  isr: [node],
  eligible: [],
  leader: node,
  epoch: 0,
})

/** A new partition; at least one of its replicas runs. */
export const newLeadership = (replicas: readonly number[], isRunning: IsRunning): Leadership => {
  const isr = replicas.filter(isRunning)
  return { replicas, isr, eligible: [], leader: isr[0]!, epoch: 0 }
}

/** A node went. The next replica in sync leads; where there is none, nobody does until a replica that knows all comes back. */
export function withoutNode(had: Leadership, node: number, minInsyncReplicas: number): Leadership {
  if (!had.isr.includes(node)) return had
  const isr = had.isr.filter((other) => other !== node)
  const isFew = isr.length < Math.min(minInsyncReplicas, had.replicas.length)
  const eligible = isFew ? [...had.eligible, node] : []
  if (had.leader !== node) return { ...had, isr, eligible }
  // In the order of the replicas: the preferred one first.
  const leader = had.replicas.find((replica) => isr.includes(replica)) ?? noLeader
  return { ...had, isr, eligible, leader, epoch: had.epoch + 1 }
}

/** A node came. Where nobody leads it does if it may, and under a leader every replica that runs catches up at once. */
export function withNode(had: Leadership, node: number, isRunning: IsRunning): Leadership {
  if (!had.replicas.includes(node)) return had
  const waits = had.leader === noLeader
  if (waits && !had.eligible.includes(node)) return had
  const late = had.replicas.filter((replica) => isRunning(replica) && replica !== node && !had.isr.includes(replica))
  const before = had.isr.filter((replica) => replica !== node)
  if (waits) return { ...had, isr: [node, ...late], eligible: [], leader: node, epoch: had.epoch + 1 }
  return { ...had, isr: [...before, node, ...late], eligible: [] }
}

/** Another leader; one that has no replica takes the place of the leader before. */
export function movedTo(had: Leadership, node: number, isRunning: IsRunning): Leadership {
  if (had.leader === node) return had
  const taken = had.replicas.map((other) => (other === had.leader ? node : other))
  const replicas = had.replicas.includes(node) ? had.replicas : taken.includes(node) ? taken : [node, ...taken.slice(1)]
  const isr = replicas.filter((replica) => replica === node || (had.isr.includes(replica) && isRunning(replica)))
  return { replicas, isr, eligible: [], leader: node, epoch: had.epoch + 1 }
}

/** Other replicas, of which at least one runs: the leader stays if it is one of them, else the first that runs leads. */
export function reassigned(had: Leadership, replicas: readonly number[], isRunning: IsRunning): Leadership {
  const isr = replicas.filter(isRunning)
  if (isr.includes(had.leader)) return { ...had, replicas, isr, eligible: [] }
  return { replicas, isr, eligible: [], leader: isr[0] ?? noLeader, epoch: had.epoch + 1 }
}
