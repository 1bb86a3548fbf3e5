// One request as a route sees it: parameters that were checked against its row, the body, and who asks.

import type { IncomingMessage } from 'node:http'
import { Problem } from './problem.ts'
import type { Rooms } from './rooms.ts'
import type { Parameter, Route } from './route.ts'

/** Nobody says here who they are. */
export const principal = 'User:ANONYMOUS'

type TopicOperation = NonNullable<Route['needs']> | 'CREATE' | 'DESCRIBE_CONFIGS'
type Value = string | number | boolean | Buffer

/** Percent-encoding of bytes: keys need not be text. Undefined where it is broken. */
function unescaped(segment: string): Buffer | undefined {
  if (/%(?![0-9a-fA-F]{2})/.test(segment)) return undefined
  const pieces = segment.split(/((?:%[0-9a-fA-F]{2})+)/)
  return Buffer.concat(
    pieces.map((piece, i) => (i % 2 === 0 ? Buffer.from(piece) : Buffer.from(piece.replaceAll('%', ''), 'hex'))),
  )
}

/** What stands for the words in braces. */
function pathValues(route: Route, target: string): Map<string, Value> | Problem {
  const path = target.replace(/[?#].*$/s, '').replace(/^https?:\/\/[^/]*/i, '') || '/'
  const segments = path.split('/')
  const words = route.path.split('/')
  const isMeant = (word: string, i: number) => word.startsWith('{') || word === String(unescaped(segments[i]!))
  // Whoever found the route has taken . and .. for steps, and others on the way may have taken them for names.
  if (segments.length !== words.length || !words.every(isMeant))
    return new Problem(
      400,
      `'${path.slice(0, 100)}' is not written as ${route.path}: write it without steps (. and ..).`,
    )
  const values = new Map<string, Value>()
  for (const [i, word] of words.entries()) {
    if (!word.startsWith('{')) continue
    const bytes = unescaped(segments[i]!)
    if (bytes === undefined)
      return new Problem(400, `'${segments[i]}' is not percent-encoded as it should be: write % as %25.`)
    values.set(word.slice(1, -1), bytes)
  }
  return values
}

function parsed({ name, schema }: Parameter, text: string): Value | Problem {
  const bad = (what: string) => new Problem(400, `${name}=${text.slice(0, 100)} is not possible: ${what} is expected.`)
  switch (schema.type) {
    case 'integer': {
      const { minimum = 0, maximum = Number.MAX_SAFE_INTEGER } = schema
      const number = Number(text)
      const isOne = /^-?\d{1,16}$/.test(text) && number >= minimum && number <= maximum
      return isOne
        ? number
        : bad(schema.maximum === undefined ? `a number from ${minimum} on` : `${minimum} to ${maximum}`)
    }
    case 'boolean':
      return text === 'true' || text === 'false' ? text === 'true' : bad('true or false')
    default:
      if (schema.enum !== undefined && !schema.enum.includes(text)) return bad(schema.enum.join(' or '))
      if (schema.pattern !== undefined && !new RegExp(schema.pattern).test(text))
        return bad(`what is like ${schema.pattern}`)
      return text
  }
}

export class Asked {
  readonly rooms: Rooms
  readonly route: Route
  readonly #incoming: IncomingMessage
  readonly #values: ReadonlyMap<string, Value>

  private constructor(route: Route, rooms: Rooms, incoming: IncomingMessage, values: ReadonlyMap<string, Value>) {
    this.route = route
    this.rooms = rooms
    this.#incoming = incoming
    this.#values = values
  }

  static of(route: Route, incoming: IncomingMessage, rooms: Rooms): Asked | Problem {
    const target = incoming.url ?? '/'
    const values = pathValues(route, target)
    if (values instanceof Problem) return values
    const rows = route.parameters ?? []
    const query = rows.filter((row) => row.in === 'query')
    for (const [name, text] of new URLSearchParams(/\?([^#]*)/.exec(target)?.[1] ?? '')) {
      const row = query.find((of) => of.name === name)
      if (row === undefined) return unknown(name, query)
      if (values.has(name)) return new Problem(400, `${name} is given twice.`)
      const value = parsed(row, text)
      if (value instanceof Problem) return value
      values.set(name, value)
    }
    for (const { name, schema } of query) {
      if (schema.default !== undefined && !values.has(name)) values.set(name, schema.default)
    }
    return new Asked(route, rooms, incoming, values)
  }

  /** A word of the path, as it was meant. */
  segment(name: string): Buffer {
    return this.#values.get(name) as Buffer
  }

  text(name: string): string | undefined {
    return this.#values.get(name) as string | undefined
  }

  number(name: string): number | undefined {
    return this.#values.get(name) as number | undefined
  }

  flag(name: string): boolean {
    return this.#values.get(name) === true
  }

  header(name: string): string | undefined {
    const value = this.#incoming.headers[name.toLowerCase()]
    return Array.isArray(value) ? value.join(', ') : value
  }

  /** Address of who asks. */
  get peer(): string {
    return this.#incoming.socket.remoteAddress ?? ''
  }

  /** Whether who asks may do that with a topic, where an authorizer is on. */
  may(operation: TopicOperation, topic: string): boolean {
    const { authorizer } = this.rooms.broker
    return authorizer === undefined || authorizer.allows({ principal, host: this.peer }, operation, 'TOPIC', topic)
  }

  mayCreate(topic: string): boolean {
    const { authorizer } = this.rooms.broker
    const onCluster = authorizer?.allows({ principal, host: this.peer }, 'CREATE', 'CLUSTER') ?? true
    return onCluster || this.may('CREATE', topic)
  }

  /** Without parameters of the media type. */
  get mediaType(): string {
    return (this.header('content-type') ?? '').replace(/;.*$/s, '').trim().toLowerCase()
  }

  /** The whole body, if it is no longer than `bytesMax`. */
  async body(bytesMax: number): Promise<Buffer | Problem> {
    const tooLarge = new Problem(413, `The body is longer than ${bytesMax} bytes, the most that is taken here.`)
    const encoding = this.header('content-encoding')
    if (encoding !== undefined && encoding !== 'identity')
      return new Problem(415, `A body with Content-Encoding: ${encoding} is not taken: send it as it is.`)
    if (Number(this.header('content-length') ?? 0) > bytesMax) return tooLarge
    try {
      return await this.#whole(bytesMax, tooLarge)
    } catch {
      return new Problem(400, 'The connection ended before the body was whole.')
    }
  }

  async #whole(bytesMax: number, tooLarge: Problem): Promise<Buffer | Problem> {
    const parts: Buffer[] = []
    let length = 0
    // What is too long is answered, not cut off.
    for await (const part of this.#incoming.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      length += part.length
      if (length > bytesMax) return tooLarge
      parts.push(part)
    }
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts, length)
  }
}

function unknown(name: string, query: readonly Parameter[]): Problem {
  const known = query.map((row) => row.name)
  const there = known.length === 0 ? 'there is none' : `there are ${known.join(', ')}`
  return new Problem(400, `There is no parameter '${name.slice(0, 100)}' here: ${there}.`)
}
