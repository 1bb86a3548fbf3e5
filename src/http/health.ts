// GET / and GET /healthz: what there is to ask, and whether the broker is well.

import { json } from './reply.ts'
import type { Route, Schema } from './route.ts'
import { integer, list, object } from './shown.ts'

const text: Schema = { type: 'string' }

export const healthRoute: Route = {
  method: 'get',
  path: '/healthz',
  id: 'health',
  summary: 'Whether the broker is there.',
  description: 'A broker with partitions that cannot be read serves all others: it is there, and says how many.',
  answers: {
    200: {
      description: 'It is.',
      schema: object({
        status: { ...text, enum: ['ok', 'degraded'] },
        offlinePartitions: integer,
        nodesRunning: integer,
      }),
    },
    503: {
      description: 'It is stopping.',
      schema: object({ status: { ...text, enum: ['stopping'] }, offlinePartitions: integer, nodesRunning: integer }),
    },
  },
  handle: ({ rooms: { broker, ending } }) => {
    const partitions = broker.topics().flatMap((topic) => topic.partitions)
    const offlinePartitions = partitions.filter(({ offline }) => offline !== undefined).length
    const told = { offlinePartitions, nodesRunning: broker.placement.running.length }
    if (ending.aborted) return json({ status: 'stopping', ...told }, { status: 503 })
    return json({ status: offlinePartitions > 0 ? 'degraded' : 'ok', ...told })
  },
}

/** `all`: asked when somebody asks, for it lists itself. */
export const homeRoute = (all: () => readonly Route[]): Route => ({
  method: 'get',
  path: '/',
  id: 'home',
  summary: 'What there is.',
  answers: {
    200: {
      description: 'The routes, each with a sentence.',
      schema: object({
        name: text,
        version: text,
        clusterId: text,
        routes: list(object({ method: text, path: text, summary: text })),
      }),
    },
  },
  handle: ({ rooms: { broker, version } }) =>
    json({
      name: 'twiglog',
      version: version(),
      clusterId: broker.clusterId,
      routes: all().map(({ method, path, summary }) => ({ method: method.toUpperCase(), path, summary })),
    }),
})
