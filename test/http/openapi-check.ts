// Holds an answer against the OpenAPI document that the broker serves: status, media type and every member must be in it. As
// much of JSON Schema as the document uses, and an error for what it does not know.

type Schema = Record<string, unknown>

type Operation = {
  operationId: string
  parameters?: { name: string; in: string }[]
  responses: Record<string, { content?: Record<string, { schema?: Schema }> }>
}
export type Document = {
  openapi: string
  info: object
  servers: object[]
  security: object[]
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, Schema> }
}

const known = new Set([
  'type',
  'properties',
  'required',
  'additionalProperties',
  'items',
  'enum',
  'anyOf',
  'description',
  'contentEncoding',
  '$ref',
  'minimum',
])

function typeOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  return Number.isInteger(value) ? 'integer' : typeof value
}

/** What is wrong with a value, each with its place. */
export function violations(value: unknown, schema: Schema, document: Document, at = '$'): string[] {
  const odd = Object.keys(schema).filter((word) => !known.has(word))
  if (odd.length > 0) return [`${at}: the check does not know ${odd}`]
  if (typeof schema['$ref'] === 'string')
    return violations(value, document.components.schemas[schema['$ref'].split('/').at(-1)!]!, document, at)
  const found: string[] = []
  const anyOf = schema['anyOf'] as Schema[] | undefined
  if (anyOf?.every((one) => violations(value, one, document, at).length > 0)) found.push(`${at}: none of anyOf`)
  const types = schema['type'] === undefined ? undefined : [schema['type']].flat()
  const type = typeOf(value)
  if (types !== undefined && !types.includes(type) && !(type === 'integer' && types.includes('number')))
    return [`${at}: ${type} instead of ${types}`]
  const oneOf = schema['enum'] as unknown[] | undefined
  if (oneOf !== undefined && !oneOf.includes(value)) found.push(`${at}: ${String(value)} is none of ${oneOf}`)
  if (typeof schema['minimum'] === 'number' && (value as number) < schema['minimum']) found.push(`${at}: too small`)
  if (type === 'array' && schema['items'] !== undefined)
    found.push(
      ...(value as unknown[]).flatMap((one, i) => violations(one, schema['items'] as Schema, document, `${at}[${i}]`)),
    )
  if (type === 'object') found.push(...memberViolations(value as Record<string, unknown>, schema, document, at))
  return found
}

function memberViolations(value: Record<string, unknown>, schema: Schema, document: Document, at: string): string[] {
  const properties = (schema['properties'] ?? {}) as Record<string, Schema>
  const missing = ((schema['required'] ?? []) as string[]).filter((name) => !(name in value))
  const more = schema['additionalProperties']
  return [
    ...missing.map((name) => `${at}: ${name} is missing`),
    ...Object.entries(value).flatMap(([name, member]) => {
      const of = properties[name]
      if (of !== undefined) return violations(member, of, document, `${at}.${name}`)
      if (more === false) return [`${at}: ${name} is not in the document`]
      return typeof more === 'object' ? violations(member, more as Schema, document, `${at}.${name}`) : []
    }),
  ]
}

/** The path of the document that a request is for. */
export function pathOf(document: Document, target: string): string | undefined {
  const segments = target.replace(/[?#].*$/s, '').split('/')
  return Object.keys(document.paths).find((path) => {
    const words = path.split('/')
    return words.length === segments.length && words.every((word, i) => word.startsWith('{') || word === segments[i])
  })
}

/** What is wrong with an answer. */
export function answerViolations(
  document: Document,
  asked: { method: string; target: string },
  answer: { status: number; mediaType: string; body: string },
): string[] {
  const path = pathOf(document, asked.target)
  const operation = path === undefined ? undefined : document.paths[path]?.[asked.method.toLowerCase()]
  // What is not in the document is answered with a problem, and that is in it.
  const response =
    operation === undefined
      ? { content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } } }
      : operation.responses[answer.status]
  if (operation === undefined && ![404, 405, 421].includes(answer.status)) return [`no such route: ${asked.target}`]
  if (response === undefined) return [`${answer.status} is not in the document`]
  const content = response.content ?? {}
  const media = Object.entries(content).find(([type]) => type.split(';')[0] === answer.mediaType.split(';')[0])
  if (media === undefined) return [`${answer.mediaType} instead of ${Object.keys(content)}`]
  const { schema } = media[1]
  return schema === undefined ? [] : violations(JSON.parse(answer.body), schema, document)
}
