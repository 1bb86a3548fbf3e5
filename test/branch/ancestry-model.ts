// Branches by key alone, and which version of a value each has ever heard of: the whole ancestry that our vectors, origins and ranges
// stand for.

/** The same numbers for the same seed. */
export function drawing(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

type Version = { readonly id: number; readonly value: string | null }

/** What each branch has, and every version that it has ever heard of. */
export class AncestryModel {
  readonly current = new Map<string, Map<string, Version>>()
  readonly seen = new Map<string, Set<number>>()
  /** By name: how it was when its log ended at an offset. */
  readonly #history = new Map<string, Map<number, { current: Map<string, Version>; seen: Set<number> }>>()
  #next = 0

  /** A log ends there now. */
  note(name: string, end: number): void {
    const history = this.#history.get(name) ?? new Map()
    history.set(end, { current: new Map(this.current.get(name)), seen: new Set(this.seen.get(name)) })
    this.#history.set(name, history)
  }

  /** Where it ended at any time. */
  ends(name: string): number[] {
    return [...(this.#history.get(name)?.keys() ?? [])]
  }

  root(name: string): void {
    this.current.set(name, new Map())
    this.seen.set(name, new Set())
  }

  fork(from: string, name: string, at: number): void {
    const { current, seen } = this.#history.get(from)!.get(at)!
    this.current.set(name, new Map(current))
    this.seen.set(name, new Set(seen))
    this.#history.set(name, new Map([...this.#history.get(from)!].filter(([end]) => end <= at)))
  }

  /** What the target had heard of by itself it had heard of in all that comes. */
  forward(from: string, into: string, end: number, to: number): void {
    const theirs = this.#history.get(from)!
    const own = this.seen.get(into)!
    for (const [at, { current, seen }] of [...theirs].sort(([a], [b]) => a - b)) {
      if (at <= end || at > to) continue
      this.current.set(into, new Map(current))
      this.seen.set(into, new Set([...own, ...seen]))
      this.note(into, at)
    }
  }

  write(name: string, key: string, value: string | null): void {
    const version = { id: this.#next++, value }
    this.current.get(name)!.set(key, version)
    this.seen.get(name)!.add(version.id)
  }

  /** Conflicts by key, and how much is written. */
  merge(from: string, into: string, rule: 'fail' | 'ours' | 'theirs'): { conflicts: string[]; written: number } {
    const conflicts: string[] = []
    const written = new Map<string, Version>()
    const [source, target] = [this.current.get(from)!, this.current.get(into)!]
    const [knownToSource, knownToTarget] = [this.seen.get(from)!, this.seen.get(into)!]
    for (const [key, theirs] of source) {
      if (knownToTarget.has(theirs.id)) continue
      const ours = target.get(key)
      if (ours === undefined || knownToSource.has(ours.id)) written.set(key, theirs)
      else if (ours.value !== theirs.value) {
        conflicts.push(key)
        if (rule === 'theirs') written.set(key, theirs)
      }
    }
    if (rule === 'fail' && conflicts.length > 0) return { conflicts, written: 0 }
    for (const [key, version] of written) target.set(key, version)
    for (const id of knownToSource) knownToTarget.add(id)
    return { conflicts, written: written.size }
  }

  state(name: string): Record<string, string | null> {
    return Object.fromEntries([...this.current.get(name)!].map(([key, { value }]) => [key, value]))
  }
}
