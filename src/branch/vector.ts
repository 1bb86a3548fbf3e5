// Of each branch (by topic id) every record below the offset is known.

export type Vector = Readonly<Record<string, number>>

/** The larger of each. */
export function raised(one: Vector, other: Vector): Vector {
  const both: Record<string, number> = { ...one }
  for (const [branch, offset] of Object.entries(other)) both[branch] = Math.max(both[branch] ?? 0, offset)
  return both
}

/** All but one. */
export function without(vector: Vector, branch: string): Vector {
  const { [branch]: _, ...others } = vector
  return others
}

export function isSame(one: Vector, other: Vector): boolean {
  const branches = Object.keys(one)
  return branches.length === Object.keys(other).length && branches.every((branch) => one[branch] === other[branch])
}
