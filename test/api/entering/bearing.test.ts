// No field that bears a name is forgotten: every table of every API that is served is walked for what looks like one.

import { describe, expect, test } from 'vitest'
import type { Field, Fields } from '../../../protocol/schema.ts'
import { apis } from '../../../src/api/apis.ts'
import { bearings, type Shape } from '../../../src/api/entering/bearing.ts'

type Found = { path: string; shape: Shape | undefined }

/** Fields of other meanings that look like names: people, clients, protocols, mechanisms, settings, addresses. */
const meansNoTopic = new Set([
  'clientSoftwareName',
  'protocolName',
  'assignorName',
  'serverAssignor',
  'entityName',
  'tokenId',
  'unknownStateFilters',
  'stateFilters',
  'statesFilter',
  'typesFilter',
  'groupState',
  'groupType',
  'transactionState',
  'groupInstanceId',
  'topicAuthorizedOperations',
])
/** Of these every `name` is one of something else: features, mechanisms, users, quotas, tokens. */
const withoutTopics = new Set([17, 18, 36, 38, 39, 40, 41, 48, 49, 50, 51, 57, 60, 64])
const looksLikeName = /^(name|topic|key|match|errorMessage|.*ErrorMessage)$|topic|group|transactionalId|resourceName/i

function walk(fields: Fields, shape: Shape | undefined, path: string): Found[] {
  return Object.entries(fields).flatMap(([name, field]) => {
    const at = path === '' ? name : `${path}.${name}`
    const of = typeof shape === 'object' && !('by' in shape) ? (shape as Record<string, Shape>)[name] : undefined
    const inner = leafOf(field)
    if (inner === undefined) return walk((field.fields ?? field.element?.fields)!, unlisted(of), at)
    return isName(name, inner) ? [{ path: at, shape: of }] : []
  })
}

const unlisted = (shape: Shape | undefined): Shape | undefined =>
  typeof shape === 'object' && 'listed' in shape ? (shape.listed as Shape) : shape

/** The kind of a field, or of its elements; undefined where it has fields of its own. */
function leafOf(field: Field<unknown, boolean>): string | undefined {
  const of = field.kind === 'array' ? field.element! : field
  return of.kind === 'struct' ? undefined : of.kind
}

const isName = (name: string, kind: string): boolean =>
  kind === 'string' && looksLikeName.test(name) && !meansNoTopic.has(name)

/** Every place that the list tells of. */
function* places(shape: Shape, path: string): Generator<string> {
  if (typeof shape === 'string' || 'by' in shape) yield path
  else if ('listed' in shape) yield* places(shape.listed as Shape, path)
  else for (const [name, of] of Object.entries(shape)) yield* places(of, path === '' ? name : `${path}.${name}`)
}

function has(fields: Fields, path: string): boolean {
  const [name, ...rest] = path.split('.')
  const field = fields[name!]
  if (field === undefined) return false
  if (rest.length === 0) return leafOf(field) === 'string'
  return has(field.fields ?? field.element?.fields ?? {}, rest.join('.'))
}

describe('names within a set', () => {
  test.each([...apis.values()].map((api) => [api.table.name, api.table] as const))('%s tells which', (_, table) => {
    if (withoutTopics.has(table.key)) return
    const bearing = bearings[table.key]
    const asked = walk(table.request.fields, bearing?.asks, '')
    const told = walk(table.response.fields, bearing?.tells, '').filter(
      ({ path }) => path !== 'errorMessage' || bearing,
    )
    const missing = [...asked, ...told].filter(({ shape }) => shape === undefined)
    expect(missing.map(({ path }) => path)).toEqual([])
  })

  test.each(Object.keys(bearings).map(Number))('of API %i there is nothing told that its tables do not have', (key) => {
    const { request, response } = apis.get(key)!.table
    for (const path of places(bearings[key]!.asks, '')) expect(has(request.fields, path), `asks ${path}`).toBe(true)
    for (const path of places(bearings[key]!.tells, '')) expect(has(response.fields, path), `tells ${path}`).toBe(true)
  })
})
