// Where reading begins or goes on, in each of several partitions: a word, or `0=5,1=7`. What an answer says of where it ended
// is what the next request may say of where it begins.

import { Refusal } from '../../protocol/errors.ts'
import { timeIn } from '../branch/fork-point.ts'
import type { Partition } from '../broker/partition.ts'
import { readCommitted } from '../command/committed-records.ts'
import { Problem } from './problem.ts'

/** By index of the partition: the next offset to read. */
export type Positions = Map<number, number>

export const grammar =
  'earliest, latest, an offset (of one partition), -N (N offsets before the end of each), timestamp:<ms or ISO-8601>, or 0=5,1=7 as answers say it'

export const printPositions = (positions: Positions): string =>
  [...positions].map(([partition, offset]) => `${partition}=${offset}`).join(',')

function listed(text: string): Positions | undefined {
  const pairs = text.split(',').map((pair) => /^(\d{1,10})=(\d{1,16})$/.exec(pair))
  if (pairs.some((pair) => pair === null)) return undefined
  return new Map(pairs.map((pair) => [Number(pair![1]), Number(pair![2])]))
}

/** The first offset that is at least as young; the end where there is none. Throws Corruption, StorageError. */
export function offsetAt(partition: Partition, time: number): number {
  const end = partition.lastStableOffset
  const found = partition.offsetAt(time, end)?.offset ?? -1
  return found === -1 ? end : Math.min(found, end)
}

type Place = (partition: Partition) => number

function placeOf(text: string, partitions: readonly Partition[], otherwise: string): Place | Problem {
  const bad = new Problem(400, `offset=${text.slice(0, 100)} is not possible: ${grammar} is expected.`)
  if (text === 'earliest') return (partition) => partition.logStartOffset
  if (text === 'latest') return (partition) => partition.lastStableOffset
  if (/^-\d{1,16}$/.test(text))
    return (partition) => Math.max(partition.logStartOffset, partition.lastStableOffset + Number(text))
  if (/^\d{1,16}$/.test(text)) {
    if (partitions.length === 1) return () => Number(text)
    const several = `An offset alone could be of any of ${partitions.length} partitions`
    return new Problem(400, `${several}: name one (partition=0), or say it of each (offset=0=${text},1=…).`)
  }
  if (text.startsWith('timestamp:')) {
    const time = timeIn(text.slice('timestamp:'.length))
    return time === undefined ? bad : (partition) => offsetAt(partition, time)
  }
  const positions = listed(text)
  if (positions === undefined) return bad
  const left = placeOf(otherwise, partitions, otherwise) as Place
  return (partition) => positions.get(partition.index) ?? left(partition)
}

/** `otherwise` (a word) counts for partitions that the text leaves out. Throws Corruption, StorageError. */
export function positionsOf(text: string, partitions: readonly Partition[], otherwise: string): Positions | Problem {
  const place = placeOf(text, partitions, otherwise)
  if (place instanceof Problem) return place
  return new Map(partitions.map((partition) => [partition.index, place(partition)]))
}

/** What to say of an offset that is not there. */
export function outside(partition: Partition, offset: number, refusal: Refusal): Problem {
  const { index, logStartOffset, lastStableOffset } = partition
  const range = `partition ${index} holds the offsets from ${logStartOffset} to below ${lastStableOffset}`
  return new Problem(400, `Offset ${offset} cannot be read: ${range}.`, refusal.error)
}

/** What to say where one of them lies behind all that is there. Throws Corruption, StorageError. */
export function beyondEnd(partitions: readonly Partition[], positions: Positions): Problem | undefined {
  for (const partition of partitions) {
    const at = positions.get(partition.index)!
    // Behind what is shown there may be something that is not: of an open transaction, or no concern of a view.
    const behind = at > partition.lastStableOffset ? readCommitted(partition, at, 0) : undefined
    if (behind instanceof Refusal) return outside(partition, at, behind)
  }
  return undefined
}
