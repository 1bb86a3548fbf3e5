// Replica assignments as admin clients send them, held against a cluster of known nodes.

import { Refusal } from '../../protocol/errors.ts'
import type { Placement } from '../broker/placement.ts'

/** Brokers of one partition. */
export type Assignment = { partition: number; brokerIds: readonly number[] }

/** Why an assignment cannot be; undefined where it can. `first`: the number of the first new partition. */
export function checkAssignments(assignments: readonly Assignment[], first: number, placement: Placement) {
  const refuse = (why: string) => new Refusal('INVALID_REPLICA_ASSIGNMENT', why)
  const numbers = assignments.map(({ partition }) => partition).sort((a, b) => a - b)
  if (new Set(numbers).size < numbers.length) return refuse('A partition is assigned twice.')
  if (numbers.some((number, i) => number !== first + i)) {
    return refuse('The assigned partition numbers are not a consecutive 0-based integer sequence.')
  }
  for (const { partition, brokerIds } of assignments) {
    if (brokerIds.length === 0) return refuse(`Partition ${partition} is assigned to no broker.`)
    if (new Set(brokerIds).size < brokerIds.length) return refuse(`Partition ${partition} names a broker twice.`)
    const unknown = brokerIds.find((id) => !placement.has(id))
    if (unknown !== undefined) return refuse(`Partition ${partition} names broker ${unknown}, which does not exist.`)
    if (!brokerIds.some(placement.isRunning)) return refuse(`None of the brokers of partition ${partition} is running.`)
  }
  return undefined
}
