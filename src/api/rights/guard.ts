// What stands between a request and its handler where an authorizer is on: the handler is asked for what is permitted, and
// what is not is answered beside it. One guard for each API. Handlers that come upon things one by one ask `context.rights`.

import { type ErrorName, errors } from '../../../protocol/errors.ts'
import { type ApiTable, defaultOf, type Request, type Response } from '../../../protocol/schema.ts'
import type { Context } from '../api.ts'
import type { Rights } from './rights.ts'

type Answered<A> = Response<A> | undefined | Promise<Response<A> | undefined>

/** `next` is the handler: what it must ask itself it asks `as` the client, unless somebody else is named. */
export type Guard<A> = (
  request: Request<A>,
  rights: Rights,
  next: (request: Request<A>, as?: Rights) => Answered<A>,
  context: Context,
) => Answered<A>

export type GuardRow = { readonly key: number; readonly guard: Guard<ApiTable> }

export const guard = <A extends ApiTable>({ key }: A, of: Guard<A>): GuardRow => ({
  key,
  guard: of as unknown as Guard<ApiTable>,
})

/** Everybody may ask this. */
export const open = (...tables: readonly ApiTable[]): GuardRow[] =>
  tables.map((table) => guard(table, (request, _, next) => next(request)))

/** Changes an answer; where none is sent there is nothing to change. */
export function after<T>(outcome: T | undefined | Promise<T | undefined>, change: (answer: T) => T) {
  if (outcome instanceof Promise) return outcome.then((answer) => answer && change(answer))
  return outcome && change(outcome)
}

/** In two: what is permitted, and the rest. */
export function split<T>(all: readonly T[], isPermitted: (each: T) => boolean): [T[], T[]] {
  const permitted: T[] = []
  const refused: T[] = []
  for (const each of all) (isPermitted(each) ? permitted : refused).push(each)
  return [permitted, refused]
}

export const codeOf = (error: ErrorName): number => errors[error].code

/** An answer that holds nothing but the error. */
export function refusal<A extends ApiTable>({ response }: A, error: ErrorName): Response<A> {
  const defaults = Object.entries(response.fields).map(([name, field]) => [name, defaultOf(field)])
  return { ...Object.fromEntries(defaults), errorCode: codeOf(error) } as Response<A>
}
