// All ACLs, so that those about one resource are found without looking at the others.

import { type Acl, aclKey, type PatternType, type ResourceType, wildcard } from './acl.ts'

const placeOf = (pattern: PatternType, type: ResourceType, name: string): string => `${pattern} ${type} ${name}`

export class AclSet {
  /** By what they are about, then by what they say. */
  readonly #places = new Map<string, Map<string, Acl>>()
  readonly #byType = new Map<ResourceType, Set<Acl>>()
  /** Of those that were ever here: a name may have tens of thousands of beginnings, and nobody speaks of the longer ones. */
  #prefixLengthMax = 0
  /** Another one with every change: for those who keep what they have found. */
  edition = {}

  constructor(acls: Iterable<Acl> = []) {
    for (const acl of acls) this.add(acl)
  }

  add(acl: Acl): void {
    const place = placeOf(acl.patternType, acl.resourceType, acl.resourceName)
    const there = this.#places.get(place) ?? new Map<string, Acl>()
    const key = aclKey(acl)
    if (there.has(key)) return
    this.#places.set(place, there.set(key, acl))
    this.#byType.set(acl.resourceType, (this.#byType.get(acl.resourceType) ?? new Set()).add(acl))
    if (acl.patternType === 'PREFIXED') this.#prefixLengthMax = Math.max(this.#prefixLengthMax, acl.resourceName.length)
    this.edition = {}
  }

  remove(acl: Acl): void {
    const place = placeOf(acl.patternType, acl.resourceType, acl.resourceName)
    const there = this.#places.get(place)
    const key = aclKey(acl)
    const known = there?.get(key)
    if (there === undefined || known === undefined) return
    there.delete(key)
    if (there.size === 0) this.#places.delete(place)
    this.#byType.get(acl.resourceType)!.delete(known)
    this.edition = {}
  }

  /** Those that speak of a resource: by its name, by a beginning of it, or of all. */
  *about(type: ResourceType, name: string): Generator<Acl> {
    yield* this.#at('LITERAL', type, name)
    if (name !== wildcard) yield* this.#at('LITERAL', type, wildcard)
    const most = Math.min(name.length, this.#prefixLengthMax)
    for (let end = 1; end <= most; end++) yield* this.#at('PREFIXED', type, name.slice(0, end))
  }

  #at(pattern: PatternType, type: ResourceType, name: string): Iterable<Acl> {
    return this.#places.get(placeOf(pattern, type, name))?.values() ?? []
  }

  ofType(type: ResourceType): Iterable<Acl> {
    return this.#byType.get(type) ?? []
  }
}
