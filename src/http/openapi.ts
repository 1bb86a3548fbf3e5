// GET /openapi.json: the routes as OpenAPI 3.1 tells them, made of the same rows by which requests are checked.

import { titles } from './problem.ts'
import { json } from './reply.ts'
import type { AnswerRow, Route, Schema } from './route.ts'
import { integer, object } from './shown.ts'

const problemRef = { $ref: '#/components/schemas/Problem' }

const problemSchema: Schema = {
  ...object(
    {
      title: { type: 'string' },
      status: integer,
      detail: { type: 'string', description: 'What is wrong, and what to change.' },
      error: { type: 'string', description: "Kafka's name for it, where it has one." },
    },
    ['title', 'status', 'detail'],
  ),
  // What else a program may want to know.
  additionalProperties: true,
}

/** Any route may answer these: a bad parameter, a foreign name, a mistake of ours. */
const anywhere = [400, 421, 500]

function answerRow({ description, schema, mediaType = 'application/json', headers }: AnswerRow) {
  const told = Object.entries(headers ?? {}).map(([name, of]) => [
    name,
    { description: of, schema: { type: 'string' } },
  ])
  return {
    description,
    ...(told.length === 0 ? {} : { headers: Object.fromEntries(told) }),
    content: { [mediaType]: schema === undefined ? {} : { schema } },
  }
}

const problemRow = (status: number) => ({
  description: titles[status]!,
  content: { 'application/problem+json': { schema: problemRef } },
})

function operation(route: Route) {
  const { id, summary, description, parameters = [], body, answers, problems = [], method, needs } = route
  const refusals = [...anywhere, ...(method === 'get' && needs === undefined ? [] : [403]), ...problems]
  const responses = [
    ...refusals.map((status) => [status, problemRow(status)] as const),
    ...Object.entries(answers).map(([status, row]) => [status, answerRow(row)] as const),
  ]
  return {
    operationId: id,
    summary,
    ...(description === undefined ? {} : { description }),
    parameters: parameters.map((of) => ({ ...of, required: of.in === 'path' })),
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            description: body.description,
            content: Object.fromEntries(Object.entries(body.types).map(([type, schema]) => [type, { schema }])),
          },
        }),
    responses: Object.fromEntries(responses),
  }
}

export function openApi(routes: readonly Route[], version: string) {
  const paths = [...new Set(routes.map(({ path }) => path))]
  return {
    openapi: '3.1.0',
    info: {
      title: 'twiglog over HTTP',
      version,
      description: 'Topics, records, and every past value of every key, for people and scripts without a Kafka client.',
      license: { name: 'Apache 2.0', identifier: 'Apache-2.0' },
    },
    // Where the document was fetched: a broker may be reached under several names.
    servers: [{ url: '/' }],
    // Said, because tools take silence for something forgotten: nobody is asked who he is.
    security: [],
    paths: Object.fromEntries(
      paths.map((path) => {
        const own = routes.filter((route) => route.path === path)
        return [path, Object.fromEntries(own.map((route) => [route.method, operation(route)]))]
      }),
    ),
    components: { schemas: { Problem: problemSchema } },
  }
}

export const openApiRoute = (all: () => readonly Route[]): Route => ({
  method: 'get',
  path: '/openapi.json',
  id: 'openApi',
  summary: 'This interface as an OpenAPI document.',
  answers: { 200: { description: 'OpenAPI 3.1.', schema: { type: 'object' } } },
  handle: ({ rooms }) => json(openApi(all(), rooms.version())),
})
