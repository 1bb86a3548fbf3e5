// Who has a partition: its replicas, those of them that are in sync, and the one that leads. A value, swapped whole; what
// becomes of it when nodes come and go is decided here, as Kafka's controller decides it.

/** `leader` is one of `isr`, or `noLeader`; `isr` is part of `replicas` and never empty. */
export type Leadership = {
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
  readonly leader: number
  /** Grows whenever the leader changes (KIP-101). */
  readonly epoch: number
}

export const noLeader = -1

/** The partition of a broker that is alone: it leads everything, and a restart changes no history. */
export const ledBy = (node: number): Leadership => ({ replicas: [node], isr: [node], leader: node, epoch: 0 })

export const newLeadership = (replicas: readonly number[], isRunning: (node: number) => boolean): Leadership => {
  const isr = replicas.filter(isRunning)
  return { replicas, isr, leader: isr[0]!, epoch: 0 }
}

/** A node went: the last one in sync stays so, for only it knows everything; without it nobody leads. */
export function withoutNode(had: Leadership, node: number): Leadership {
  if (!had.isr.includes(node)) return had
  const others = had.isr.filter((other) => other !== node)
  const isr = others.length > 0 ? others : had.isr
  if (had.leader !== node) return { ...had, isr }
  // In the order of the replicas: the preferred one first.
  const leader = had.replicas.find((replica) => others.includes(replica)) ?? noLeader
  return { ...had, isr, leader, epoch: had.epoch + 1 }
}

/** A node came: where nobody leads it does if it was in sync, and with a leader every replica that runs catches up at once. */
export function withNode(had: Leadership, node: number, isRunning: (node: number) => boolean): Leadership {
  if (!had.replicas.includes(node)) return had
  const waits = had.leader === noLeader
  if (waits && !had.isr.includes(node)) return had
  const isr = had.replicas.filter((replica) => isRunning(replica))
  return waits ? { ...had, isr, leader: node, epoch: had.epoch + 1 } : { ...had, isr }
}

/** Another leader; one that has no replica takes the place of the leader before. */
export function movedTo(had: Leadership, node: number, isRunning: (node: number) => boolean): Leadership {
  if (had.leader === node) return had
  const place = (nodes: readonly number[]) =>
    nodes.includes(node) ? nodes : nodes.map((other) => (other === had.leader ? node : other))
  const replicas = place(had.replicas)
  const known = replicas.includes(node) ? replicas : [node, ...replicas.slice(1)]
  const isr = known.filter((replica) => replica === node || (had.isr.includes(replica) && isRunning(replica)))
  return { replicas: known, isr, leader: node, epoch: had.epoch + 1 }
}

/** Other replicas: the leader stays if it is one of them, else the first that runs leads. */
export function reassigned(
  had: Leadership,
  replicas: readonly number[],
  isRunning: (node: number) => boolean,
): Leadership {
  const running = replicas.filter(isRunning)
  const isr = running.length > 0 ? running : replicas
  if (isr.includes(had.leader)) return { ...had, replicas, isr }
  return { replicas, isr, leader: running[0] ?? noLeader, epoch: had.epoch + 1 }
}
