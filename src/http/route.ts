// What a route is: one row that says where it is, what it takes, what it answers and what it does. Parameters are checked by
// the same words that the OpenAPI document shows.

import type { Asked } from './asked.ts'
import type { Problem } from './problem.ts'

export type Schema = Readonly<Record<string, unknown>>

export type ParameterSchema =
  | { readonly type: 'integer'; readonly minimum?: number; readonly maximum?: number; readonly default?: number }
  | { readonly type: 'boolean'; readonly default?: boolean }
  | {
      readonly type: 'string'
      readonly enum?: readonly string[]
      readonly pattern?: string
      readonly default?: string
    }

export type Parameter = {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly description: string
  readonly schema: ParameterSchema
}

/** One kind of answer: its body is JSON of a schema, or of another media type. */
export type AnswerRow = {
  readonly description: string
  readonly schema?: Schema
  readonly mediaType?: string
  readonly headers?: Readonly<Record<string, string>>
}

export type Route = {
  readonly method: 'get' | 'put' | 'post' | 'delete'
  /** `{name}` stands for one segment. */
  readonly path: string
  readonly id: string
  readonly summary: string
  readonly description?: string
  readonly parameters?: readonly Parameter[]
  /** Media types that are taken, and what they hold; none: there is no body. `'*'`: any. */
  readonly body?: { readonly description: string; readonly types: Readonly<Record<string, Schema>> }
  readonly answers: Readonly<Record<number, AnswerRow>>
  /** Statuses of problems that it may answer beside those that every route may. */
  readonly problems?: readonly number[]
  /** What who asks must be allowed to do with the topic of the path. */
  readonly needs?: 'READ' | 'WRITE' | 'DESCRIBE'
  readonly handle: (asked: Asked) => Reply | Problem | Promise<Reply | Problem>
}

/** What goes back. */
export type Reply = {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  /** Where it is not JSON. */
  readonly mediaType?: string
  readonly body: string | ReadableStream<Uint8Array>
}
