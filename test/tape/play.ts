// Plays a tape to two brokers at once, event by event, and holds their answers against each other. What was asked before
// an answer of the tape is asked before it here, so both see the same order of things.

import type { Difference } from '../differential/compare.ts'
import { pause } from '../differential/side.ts'
import { compareOutcomes } from './compare.ts'
import { type Ask, readAnswer, readAsk } from './frame.ts'
import type { Outcome, PlayedSide } from './side.ts'
import type { Event } from './tape.ts'

/** An answer that is not there after this time will not come. */
const patienceMs = 10_000

export type Played = {
  answers: number
  differences: Difference[]
  /** Every request of the tape that a table fits, for those who want to alter them. */
  asks: Ask[]
}

const isAnswered = ({ table, body }: Ask): boolean => !(table.name === 'Produce' && body['acks'] === 0)

/** What passes by itself: a leader that is being made, a coordinator that reads, a marker on its way. */
const passing: ReadonlySet<number> = new Set([3, 5, 6, 7, 14, 15, 16, 51, 100])
/** What Kafka answers before it has come to pass everywhere: the next question would meet chance. */
const settles: ReadonlySet<string> = new Set([
  ...['CreateTopics', 'CreatePartitions', 'DeleteTopics', 'EndTxn', 'AlterClientQuotas', 'AlterConfigs'],
  'IncrementalAlterConfigs',
])
const settleMs = 250
/** A tape is played faster than it was recorded; transactions of a second run out by the clock. */
const lateMs = 3000
/**
 * Between two connections there is no order but time: what was asked on one, and is not answered yet, may be overtaken by
 * what is asked on another right after it (a heartbeat, the JoinGroup of the next member).
 */
const apartMs = 20
const insistMs = 150
const insistTimes = 40
/** Kafka looks at its regular expressions again ten seconds after it did last: topics that came since are assigned then. */
const insistTimesOnAssignment = 100

function errorsIn(outcome: unknown): number[] {
  if (Array.isArray(outcome)) return outcome.flatMap(errorsIn)
  if (typeof outcome !== 'object' || outcome === null || Buffer.isBuffer(outcome)) return []
  return Object.entries(outcome).flatMap(([name, value]) =>
    typeof value === 'number' && /[eE]rrorCode$/.test(name) ? [value] : errorsIn(value),
  )
}

/** A member of a group with heartbeats asks in its own time for what the tape's broker had told it by then (KIP-848). */
function waitsForAssignment({ table }: Ask, outcome: Outcome, taped: Outcome): boolean {
  if (!table.name.endsWith('GroupHeartbeat') || typeof outcome === 'string' || typeof taped === 'string') return false
  if (outcome['errorCode'] !== 0 || taped['errorCode'] !== 0) return false
  const partitionsOf = ({ assignment }: Record<string, unknown>) =>
    assignment === null ? 0 : (assignment as { topicPartitions: readonly unknown[] }).topicPartitions.length
  return (
    (outcome['memberEpoch'] as number) < (taped['memberEpoch'] as number) || partitionsOf(outcome) < partitionsOf(taped)
  )
}

/** In a session a request has its number: it can be asked once. */
const isInSession = ({ body }: Ask): boolean =>
  typeof body['sessionId'] === 'number' ? body['sessionId'] !== 0 : 'shareSessionEpoch' in body

/** Asks again, as a client does, where a broker is not ready for what the tape's broker was ready for. */
async function insist(side: PlayedSide, connection: number, ask: Ask, taped: Outcome): Promise<Outcome> {
  const known = new Set(errorsIn(taped))
  for (let times = 0; ; times++) {
    const outcome = await side.answer(connection, ask, taped, patienceMs)
    if (isInSession(ask)) return outcome
    const isReady = (code: number) => !passing.has(code) || known.has(code)
    const errors = errorsIn(outcome)
    // What is written a second time is there twice: where a part was taken, it stays at that.
    const ended = ask.table.name === 'Produce' ? errors.some(isReady) : errors.every(isReady)
    const waits = waitsForAssignment(ask, outcome, taped)
    const isDone = (errors.length === 0 || ended) && !waits
    if (isDone || times === (waits ? insistTimesOnAssignment : insistTimes)) return outcome
    await pause(insistMs)
    side.ask(connection, ask)
  }
}

/** Ends of transactions that came too late by the tape: the coordinator had aborted them in its own time. */
function lateEnds(tape: readonly Event[]): ReadonlySet<Event> {
  const late = new Set<Event>()
  const pending = new Map<number, { event: Event; ask: Ask }[]>()
  for (const event of tape) {
    if (event.kind !== 'ask' && event.kind !== 'answer') continue
    const waiting = pending.get(event.connection) ?? []
    pending.set(event.connection, waiting)
    if (event.kind === 'ask') {
      const ask = readAsk(event.frame)
      if (ask !== undefined && isAnswered(ask)) waiting.push({ event, ask })
      continue
    }
    const first = waiting.shift()
    if (first?.ask.table.name !== 'EndTxn') continue
    const answer = readAnswer(first.ask, event.frame)
    if (typeof answer === 'object' && answer['errorCode'] !== 0) late.add(first.event)
  }
  return late
}

export async function play(tape: readonly Event[], theirs: PlayedSide, ours: PlayedSide): Promise<Played> {
  const played: Played = { answers: 0, differences: [], asks: [] }
  /** What waits for an answer, with the line of the tape that asks it. */
  const pending = new Map<number, { ask: Ask; line: number }[]>()
  /** Connections on which one broker fell silent or closed: nothing more can be compared there. */
  const lost = new Set<number>()
  const sides = [theirs, ours] as const
  const late = lateEnds(tape)
  /** When what is pending was asked, by connection. */
  const askedAt = new Map<number, number>()
  const isPressing = (connection: number) =>
    [...pending].some(
      ([other, asks]) =>
        other !== connection && asks.length > 0 && performance.now() - (askedAt.get(other) ?? 0) < apartMs,
    )
  for (const [at, event] of tape.entries()) {
    const { connection } = event
    if (lost.has(connection)) continue
    if (event.kind === 'open') {
      await Promise.all(sides.map((side) => side.open(connection)))
      pending.set(connection, [])
    } else if (event.kind === 'close') {
      for (const side of sides) side.close(connection)
    } else if (event.kind === 'ask') {
      const ask = readAsk(event.frame)
      if (ask === undefined) {
        lost.add(connection)
        continue
      }
      played.asks.push(ask)
      if (late.has(event)) await pause(lateMs)
      if (isPressing(connection)) await pause(apartMs)
      for (const side of sides) side.ask(connection, ask)
      askedAt.set(connection, performance.now())
      if (isAnswered(ask)) pending.get(connection)!.push({ ask, line: at + 1 })
    } else {
      const first = pending.get(connection)?.shift()
      if (first === undefined) continue
      const { ask, line } = first
      const taped = readAnswer(ask, event.frame)
      const isLast = pending.get(connection)!.length === 0
      const [one, other] = await Promise.all(
        sides.map((side) =>
          isLast ? insist(side, connection, ask, taped) : side.answer(connection, ask, taped, patienceMs),
        ),
      )
      played.answers++
      played.differences.push(...compareOutcomes(`tape, line ${line}, ${ask.clientId}`, ask, one!, other!))
      if (settles.has(ask.table.name)) await pause(settleMs)
      if (typeof one === 'string' || typeof other === 'string') lost.add(connection)
    }
  }
  return played
}
