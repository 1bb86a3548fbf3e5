// Histories in few words, for those who look whether the judge sees what is wrong with one.

import type { Happened, Logged } from './history.ts'
import { Judge } from './judge.ts'

export const log = (topic: string, records: readonly Logged[], to: number, from = 0): Happened => ({
  t: 'log',
  topic,
  partition: 0,
  from,
  to,
  records,
  markers: [],
})
export const plainly = (offset: number, id: string): Logged => [offset, id, -1, '']
export const sent = (call: number, producer: string, from: number, count: number, topic = 'idem'): Happened => ({
  t: 'sent',
  call,
  producer,
  topic,
  partition: 0,
  from,
  count,
})
export const acked = (call: number, ...offsets: number[]): Happened => ({ t: 'acked', call, offsets })
export const unknown = (call: number): Happened => ({ t: 'unknown', call, error: 'no answer' })
export const audit = (n = 1, whole = false): Happened => ({ t: 'audit', n, whole })
export const audited = (n = 1): Happened => ({ t: 'audited', n })

/** What is found wrong in it. */
export function judged(...history: Happened[]): readonly string[] {
  const judge = new Judge()
  for (const happened of history) judge.take(happened)
  return judge.found
}

export const drainedOf = (...groups: string[]): Happened => ({ t: 'drained', groups, shares: [] })
