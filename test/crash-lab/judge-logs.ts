// Records of ordinary producers: acknowledged ones are there, those of idempotent producers once, in the order in which
// each producer sent them; and of a revision topic each has its number.

import { deleted } from './documents.ts'
import type { Happened, Logged, Place } from './history.ts'
import type { Part, Verdict } from './judge.ts'
import { type Logs, nameOf, type PartitionLog } from './logs.ts'

type Sent = Extract<Happened, { t: 'sent' }>

/** Its name tells what a producer is: `plain`, `idem`, `rev`, `work` or `keyed`, after that whose it is. */
export const isIdempotent = (name: string): boolean => !name.startsWith('plain')

export class JudgeOfLogs implements Part {
  readonly #verdict: Verdict
  readonly #logs: Logs
  readonly #calls = new Map<number, Sent>()
  #acked: (readonly [Sent, readonly number[]])[] = []
  /** Those acknowledged before the audit began. */
  #due: (readonly [Sent, readonly number[]])[] = []
  /** By topic and id, where it is; plain producers may write one several times. */
  readonly #places = new Map<string, number[]>()
  /** By partition and producer, the last record. */
  readonly #last = new Map<string, number>()

  /** Batches of which nobody knows what became of them. */
  readonly #unknown: Sent[] = []
  /** By partition of a topic that has a view, the number of each key where the next look at the view begins. */
  readonly #numbers = new Map<string, Map<string, number>>()
  /** Branches that nobody can look into any more. */
  readonly #abandoned = new Set<string>()

  constructor(verdict: Verdict, logs: Logs) {
    this.#verdict = verdict
    this.#logs = logs
    logs.onFresh((place, _, fresh) => {
      for (const record of fresh) this.#note(place, record)
    })
  }

  take(happened: Happened): void {
    if (happened.t === 'command' && happened.op === 'abandon') this.#abandoned.add(happened.topic)
    else if (happened.t === 'sent') this.#calls.set(happened.call, happened)
    else if (happened.t === 'acked') {
      this.#acked.push([this.#calls.get(happened.call)!, happened.offsets])
      this.#calls.delete(happened.call)
    } else if (happened.t === 'unknown') {
      const sent = this.#calls.get(happened.call)
      if (sent?.isBatch === true) this.#unknown.push(sent)
      this.#calls.delete(happened.call)
    } else if (happened.t === 'drained') for (const sent of this.#unknown) this.#expectWhole(sent)
    else if (happened.t === 'audit') this.#due.push(...this.#acked.splice(0))
    else if (happened.t === 'audited') for (const each of this.#due.splice(0)) this.#expect(...each)
    else if (happened.t === 'revisions') this.#judgeRevisions(happened)
  }

  #note(place: Place, [offset, id, , merge]: Logged): void {
    const name = nameOf(place)
    const [producer = '', n] = id.split('#')
    // What a branch inherits was counted where it was written.
    if (place.topic.includes('--') && !producer.includes(`${place.topic}.`)) return
    const at = `${name} ${id}`
    const places = this.#places.get(at)
    if (places === undefined) this.#places.set(at, [offset])
    else places.push(offset)
    // What a merge brings was counted where it was written; of transactions and of branches others judge.
    if (
      id === deleted ||
      !isIdempotent(producer) ||
      producer.startsWith('txn') ||
      merge !== '' ||
      place.topic.includes('--')
    )
      return
    if (places !== undefined) this.#verdict.wrong(`${at} is there twice, at ${places.join(' and ')}`)
    const by = `${name} ${producer}`
    const last = this.#last.get(by) ?? -1
    if (Number(n) < last) this.#verdict.wrong(`${at} stands behind #${last}, which was sent after it`)
    this.#last.set(by, Math.max(last, Number(n)))
    this.#verdict.right('records once and in order')
  }

  #expect(sent: Sent, offsets: readonly number[]): void {
    const { topic, producer, from, count } = sent
    if (this.#abandoned.has(topic)) return
    const log = this.#logs.of(sent)
    let last = -1
    for (let i = 0; i < count; i++) {
      const id = `${producer}#${from + i}`
      const told = offsets[i] ?? -1
      const found = this.#places.get(`${nameOf(sent)} ${id}`)
      if (found === undefined) this.#verdict.wrong(`${id} was acknowledged and is not in ${nameOf(sent)}`)
      else if (told >= 0 && !isAt(log, told, id)) {
        this.#verdict.wrong(
          `${id} was acknowledged at offset ${told} of ${nameOf(sent)}, and is at ${found.join(', ')}`,
        )
      } else if (isIdempotent(producer) && found[0]! <= last) this.#verdict.wrong(`${id} of ${topic} is out of order`)
      else this.#verdict.right('acknowledged records')
      last = found?.[0] ?? last
    }
  }

  /** A batch is there or is not. */
  #expectWhole(sent: Sent): void {
    const { topic, producer, from, count } = sent
    if (this.#abandoned.has(topic)) return
    const ids = Array.from({ length: count }, (_, i) => `${producer}#${from + i}`)
    const there = ids.filter((id) => this.#places.has(`${nameOf(sent)} ${id}`)).length
    if (there > 0 && there < count)
      this.#verdict.wrong(`of the batch of ${ids[0]} ${there} records are in ${nameOf(sent)}, and ${count - there} not`)
    else this.#verdict.right('batches of unknown end')
  }

  /** From the view: of each key 1, 2, 3 … in the order of offsets, and every record of the topic has one. */
  #judgeRevisions({ of, partition, from = 0, records }: Extract<Happened, { t: 'revisions' }>): void {
    const log = this.#logs.of({ topic: of, partition })
    const name = nameOf({ topic: of, partition })
    const numbers = from === 0 ? new Map<string, number>() : (this.#numbers.get(name) ?? new Map<string, number>())
    this.#numbers.set(name, numbers)
    /** Of what nobody has read of the topic yet: it will be told again. */
    const beyond = new Map<string, number>()
    for (const [offset, key, rev, id] of records) {
      const wanted = (beyond.get(key) ?? numbers.get(key) ?? 0) + 1
      if (rev !== wanted)
        this.#verdict.wrong(`${of}-${partition}: ${key} has revision ${rev} where ${wanted} is due (offset ${offset})`)
      if (offset < log.end) numbers.set(key, rev)
      else beyond.set(key, rev)
      if (offset < log.end && !isAt(log, offset, id)) {
        this.#verdict.wrong(
          `${of}-${partition}: the view has ${id} at offset ${offset}, the topic has ${log.records.get(offset)?.[1]}`,
        )
      }
      this.#verdict.right('revisions numbered')
    }
    const shown = records.filter(([offset]) => offset < log.end).length
    let there = 0
    for (const offset of log.records.keys()) if (offset >= from) there++
    if (shown !== there) {
      this.#verdict.wrong(`${of}-${partition} has ${there} records from ${from} on, and its view shows ${shown}`)
    }
  }
}

const isAt = (log: PartitionLog, offset: number, id: string): boolean => log.records.get(offset)?.[1] === id
