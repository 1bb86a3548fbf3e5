// The routes behind the HTTP port: hono finds the one that is meant; whoever comes under a foreign name is sent away before.

import { getRequestListener, type HttpBindings } from '@hono/node-server'
import { type Context, Hono } from 'hono'
import { Asked } from './asked.ts'
import { isOwnHost, isOwnOrigin } from './hosts.ts'
import { noteAnswer } from './metrics.ts'
import { attempt, Problem } from './problem.ts'
import { problemReply } from './reply.ts'
import type { Rooms } from './rooms.ts'
import type { Reply, Route } from './route.ts'
import { routes } from './routes.ts'

type Bound = { Bindings: HttpBindings }

/** No page of another origin reads what we say, and no browser guesses what it is. */
const always = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'cross-origin-resource-policy': 'same-origin',
}

const pathOf = (path: string): string => path.replace(/\{(\w+)\}/g, ':$1')

function responseOf(
  { status = 200, headers = {}, mediaType = 'application/json', body }: Reply,
  rooms: Rooms,
): Response {
  // Who is told so comes back by a connection of its own, to whoever is there then.
  const last = rooms.ending.aborted ? { connection: 'close' } : {}
  return new Response(body, { status, headers: { ...always, 'content-type': mediaType, ...headers, ...last } })
}

function refusalOf(header: (name: string) => string | undefined, method: string, hosts: ReadonlySet<string>) {
  const host = header('host')
  if (!isOwnHost(host, hosts)) {
    const why = `This is not ${host ?? 'a server without a name'}`
    return new Problem(421, `${why}. Ask by address or as localhost, or allow the name with http.allowed.hosts.`)
  }
  const writes = method !== 'GET' && method !== 'HEAD'
  return writes && !isOwnOrigin(header('origin'), host)
    ? new Problem(403, 'Pages of other origins may not write here.')
    : undefined
}

const isReply = (of: Reply | Problem): of is Reply => !(of instanceof Problem)

async function answer(route: Route, c: Context<Bound>, rooms: Rooms): Promise<Response> {
  const asked = Asked.of(route, c.env.incoming, rooms)
  const told = asked instanceof Problem ? asked : await attemptLater(() => route.handle(asked))
  const reply = isReply(told) ? told : problemReply(told)
  noteAnswer(rooms, route, reply.status ?? 200)
  return responseOf(reply, rooms)
}

/** A disk that fails while an answer is made is told as one that fails at once. */
async function attemptLater(make: () => ReturnType<Route['handle']>): Promise<Reply | Problem> {
  try {
    return await make()
  } catch (cause) {
    return attempt(() => {
      throw cause
    })
  }
}

export function appOf(rooms: Rooms, hosts: ReadonlySet<string>): Hono<Bound> {
  const app = new Hono<Bound>()
  const tell = (problem: Problem, headers: Reply['headers'] = {}) =>
    responseOf({ ...problemReply(problem), headers }, rooms)
  app.use(async (c, next) => {
    const refusal = refusalOf((name) => c.req.header(name), c.req.method, hosts)
    if (refusal !== undefined) return tell(refusal)
    return next()
  })
  for (const route of routes) app.on(route.method.toUpperCase(), pathOf(route.path), (c) => answer(route, c, rooms))
  for (const path of new Set(routes.map((route) => route.path))) {
    const allowed = routes.filter((route) => route.path === path).map(({ method }) => method.toUpperCase())
    app.all(pathOf(path), ({ req }) =>
      tell(new Problem(405, `${req.method} is not possible here: ${allowed.join(', ')} is.`), {
        allow: allowed.join(', '),
      }),
    )
  }
  app.notFound(({ req }) => tell(new Problem(404, `There is nothing at ${req.path}. GET / lists what there is.`)))
  app.onError((cause) => {
    console.error('A request by HTTP met a mistake of ours:', cause)
    return tell(new Problem(500, 'The broker met a mistake of its own; its log has more.'))
  })
  return app
}

/** What a server of Node's calls. The program that we may be part of keeps its own Request and Response. */
export const listenerOf = (rooms: Rooms, hosts: ReadonlySet<string>): ReturnType<typeof getRequestListener> =>
  getRequestListener(appOf(rooms, hosts).fetch as Parameters<typeof getRequestListener>[0], {
    overrideGlobalObjects: false,
  })
