// Holds two answers against each other field by field, and gathers what is the same difference in several requests.

import { isDeepStrictEqual } from 'node:util'
import type { Asked } from './side.ts'

export type Difference = {
  label: string
  api: string
  version: number
  path: string
  theirs: string
  ours: string
  /** Kafka met an exception of its own: it answered UNKNOWN_SERVER_ERROR somewhere, or not at all. */
  failed: boolean
}

/** Names that a scenario makes for one version are one name here. */
const unversioned = (text: string): string => text.replace(/-v\d+\b/g, '-vN')
const show = (value: unknown): string => (value === undefined ? 'nothing' : unversioned(JSON.stringify(value)))
const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

/** What tells the elements of a list apart: one that is missing must not make all the rest look different. */
const identities = [
  'apiKey',
  'name',
  'topic',
  'resourceName',
  'topicId',
  'user',
  'entityType',
  'key',
  'groupId',
  'memberId',
  'transactionalId',
  'partitionIndex',
  'partition',
  'index',
  'producerId',
] as const

/** A quota is known by whom it is for, in whatever order that is said. */
function quotaEntity({ entity }: Record<string, unknown>): string | undefined {
  if (!Array.isArray(entity)) return undefined
  return entity
    .map(({ entityType, entityName }) => `${entityType}=${entityName}`)
    .sort()
    .join()
}

function identity(element: Record<string, unknown>): string | undefined {
  const entity = quotaEntity(element)
  if (entity !== undefined) return entity
  const parts = identities.map((key) => element[key]).filter((part) => part !== undefined && part !== null)
  const known = parts.find((part) => part !== '') ?? parts[0]
  const { resourceType } = element
  return resourceType === undefined ? known?.toString() : `${resourceType} ${known}`
}

/** The elements by what they are about; undefined where that does not tell them apart. */
function byIdentity(list: readonly unknown[]): Map<string, unknown> | undefined {
  const found = new Map<string, unknown>()
  for (const element of list) {
    const name = isObject(element) ? identity(element) : undefined
    if (name === undefined || found.has(name)) return undefined
    found.set(name, element)
  }
  return found
}

type Parting = [path: string, theirs: unknown, ours: unknown]

function* parted(theirs: unknown, ours: unknown, path: string): Generator<Parting> {
  if (Array.isArray(theirs) && Array.isArray(ours)) {
    const [one, other] = [byIdentity(theirs), byIdentity(ours)]
    if (one !== undefined && other !== undefined) {
      yield* partedMaps(one, other, path)
      return
    }
  }
  if (isObject(theirs) && isObject(ours) && Array.isArray(theirs) === Array.isArray(ours)) {
    for (const name of new Set([...Object.keys(theirs), ...Object.keys(ours)])) {
      yield* parted(theirs[name], ours[name], path === '' ? name : `${path}.${name}`)
    }
  } else if (!isDeepStrictEqual(theirs, ours)) yield [path, theirs, ours]
}

function* partedMaps(one: Map<string, unknown>, other: Map<string, unknown>, path: string): Generator<Parting> {
  for (const name of new Set([...one.keys(), ...other.keys()])) {
    yield* parted(one.get(name), other.get(name), `${path}[${name}]`)
  }
  const order = [[...one.keys()].filter((key) => other.has(key)), [...other.keys()].filter((key) => one.has(key))]
  const [theirs, ours] = order.map((keys) => keys.join(', '))
  if (theirs !== ours) yield [`${path} (order)`, theirs, ours]
}

const hasFailed = (answer: unknown): boolean =>
  answer === 'silence' || answer === 'closed' || JSON.stringify(answer).includes('"errorCode":-1')

/** How many requests were the same: what a client asks next may go by an answer. */
export function commonLength(theirs: readonly Asked[], ours: readonly Asked[]): number {
  const apart = theirs.findIndex(({ label, api }, i) => label !== ours[i]?.label || api !== ours[i]?.api)
  return apart === -1 ? theirs.length : apart
}

/** `theirs` and `ours`: what two brokers answered, as far as they were asked the same. */
export function differences(theirs: readonly Asked[], ours: readonly Asked[]): Difference[] {
  return theirs.slice(0, commonLength(theirs, ours)).flatMap(({ label, api, version, answer }, i) =>
    [...parted(answer, ours[i]!.answer, '')].map(([path, one, other]) => ({
      label,
      api,
      version,
      path: unversioned(path),
      theirs: show(one),
      ours: show(other),
      failed: hasFailed(answer),
    })),
  )
}

/** Lines to print: each difference once, with the requests in which it shows. */
export function gathered(found: readonly Difference[], labelsShown = 4): string[] {
  const lines = new Map<string, Map<string, number[]>>()
  for (const { label, api, version, path, theirs, ours } of found) {
    const line = `${api} ${path}: ${theirs} there, ${ours} here`
    const labels = lines.get(line) ?? new Map<string, number[]>()
    labels.set(label, [...(labels.get(label) ?? []), version])
    lines.set(line, labels)
  }
  return [...lines].map(([line, labels]) => {
    const shown = [...labels].slice(0, labelsShown).map(([label, versions]) => `${label} (v${versions.join(',')})`)
    const more = labels.size > labelsShown ? `; and ${labels.size - labelsShown} more` : ''
    return `${line}\n    ${shown.join('; ')}${more}`
  })
}
