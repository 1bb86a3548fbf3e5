// Requests that name a thing twice: one pass, because a request may name a quarter of a million.

/** Those names that stand in the list more than once. */
export function namedTwice(names: Iterable<string>): Set<string> {
  const seen = new Set<string>()
  const twice = new Set<string>()
  for (const name of names) {
    if (seen.has(name)) twice.add(name)
    seen.add(name)
  }
  return twice
}
