// What a fork takes over of what its parent knows, at whatever offset it is made. Below the parent's own beginning the parent is
// no more than the topic whose records stand there, and knows what that one knew:
//
//   P   ───────────────────▶            P, 0 to 10, forked at 10 into C: C knows P up to 10
//   C   ─────────┃─────────▶            a fork of C at 5 has nothing of P behind 5, and a merge of P has to bring it

import type { Heritage, Knowledge } from './knowledge.ts'
import type { Lineage } from './lineage.ts'
import { raised, type Vector } from './vector.ts'

/** `isThere`: whether there still is a topic of this id. */
export function heritageAt(
  lineage: Lineage,
  topicId: string,
  partition: number,
  offset: number,
  isThere: (topicId: string) => boolean,
): Heritage {
  const own = lineage.knowledge(topicId, partition)
  const unheld = lowest(own.unheld, lineage.knowledge(own.home(offset), partition).unheld)
  return {
    ...own.asOf(offset),
    known: knownAt(lineage, topicId, partition, offset, isThere),
    ...(Object.keys(unheld).length === 0 ? {} : { unheld }),
  }
}

function lowest(one: Vector, other: Vector): Vector {
  const both: Record<string, number> = { ...one }
  for (const [branch, offset] of Object.entries(other)) both[branch] = Math.min(both[branch] ?? offset, offset)
  return both
}

function knownAt(
  lineage: Lineage,
  topicId: string,
  partition: number,
  offset: number,
  isThere: (topicId: string) => boolean,
): Vector {
  const own = lineage.knowledge(topicId, partition)
  const home = own.home(offset)
  if (home === topicId) return raised(own.knownAt(offset), { [topicId]: offset })
  const forkedAt = lineage.branches.get(topicId)?.partitions[partition]?.offset ?? 0
  // What a fast-forward brought came to what was known; what was known at a fork is known of all that lies below it.
  const before = offset < forkedAt ? {} : own.knownAt(offset)
  const there = isThere(home)
    ? knownAt(lineage, home, partition, offset, isThere)
    : offset < forkedAt
      ? knownOfOrphan(own, home, offset, forkedAt)
      : {}
  return raised(raised(before, there), { ...homesBelow(own, offset), [topicId]: offset })
}

/** Every branch that records below an offset were first written in, up to where. */
function homesBelow({ spans }: Knowledge, offset: number): Vector {
  const homes: Record<string, number> = {}
  for (const [i, [branch, upTo]] of spans.entries()) {
    if ((spans[i - 1]?.[1] ?? 0) < offset) homes[branch] = Math.min(upTo, offset)
  }
  return homes
}

/** Nobody can say any more which of the merges that came to its parent stood below: what is not known is brought once more, and not lost. */
function knownOfOrphan(own: Knowledge, home: string, offset: number, forkedAt: number): Vector {
  const { done } = own.ranges.within(offset, forkedAt).next()
  return done === true ? { ...own.knownAt(offset), [home]: offset } : {}
}

/** Up to where two logs show the same records, before `end`. */
export function commonEnd(one: Knowledge, other: Knowledge, end: number): number {
  const seams = [...one.spans, ...other.spans].map(([, upTo]) => upTo).sort((a, b) => a - b)
  for (const from of [0, ...seams]) {
    if (from >= end) break
    if (one.home(from) !== other.home(from)) return from
  }
  return end
}
