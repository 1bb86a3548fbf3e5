// What a share group may do with records (KIP-932), as a model: what was accepted is never handed out again, what somebody has nobody
// else is given, and in the end every record was accepted.

import type { Happened } from '../crash-lab/history.ts'

/** Whatever is on its way to the broker has come by then (network.ts). */
const lateMs = 5_000

/** Of one record. */
type Handed = {
  /** When whoever accepted it was told that it is so. */
  acceptedAt: number
  /** When somebody accepted it or gave it up, and heard nothing; Infinity where nobody did, or it was not taken. */
  unknownAt: number
  deliveries: number
  /** Not before this was it there: a fetch that was lost until then has not taken it. */
  thereAt: number
  holder: string
  until: number
}

export class HandingOut {
  readonly #topic: string
  readonly #deliveriesMax: number
  readonly #wrong: (what: string) => void
  readonly #right: () => void
  readonly #records = new Map<string, Handed>()
  /** What was asked for earlier may be anybody's by now. */
  #since = 0
  /** When fetches were lost: nobody knows what they took. */
  readonly #lost: number[] = []
  /** When records were sent, by their names. */
  readonly #sentAt = new Map<string, number>()

  /** `deliveriesMax`: so often handed out, a record is given up. */
  constructor(topic: string, deliveriesMax: number, wrong: (what: string) => void, right: () => void) {
    this.#topic = topic
    this.#deliveriesMax = deliveriesMax
    this.#wrong = wrong
    this.#right = right
  }

  #of(partition: number, offset: number): Handed {
    const name = `${partition} ${offset}`
    const known = this.#records.get(name)
    if (known !== undefined) return known
    const handed = { acceptedAt: Infinity, unknownAt: Infinity, deliveries: 0, thereAt: 0, holder: '', until: 0 }
    this.#records.set(name, handed)
    return handed
  }

  /** `askedAt`: when the fetch was sent that brought it; `until`: nobody else is given it before. */
  give(partition: number, offset: number, member: string, askedAt: number, now: number, until: number): void {
    const record = this.#of(partition, offset)
    const what = `${this.#topic}-${partition}: the record at ${offset} was given to ${member}`
    if (record.acceptedAt < askedAt) this.#wrong(`${what}, and had been accepted`)
    else if (record.holder !== '' && record.holder !== member && record.until > now)
      this.#wrong(`${what} while ${record.holder} had it`)
    else this.#right()
    record.deliveries++
    // What was said of it before has not been heard, or it would not be here.
    if (askedAt > record.unknownAt + lateMs) record.unknownAt = Infinity
    record.holder = askedAt < this.#since ? '' : member
    record.until = until
  }

  accept(partition: number, offset: number, now: number): void {
    const record = this.#of(partition, offset)
    record.acceptedAt = Math.min(record.acceptedAt, now)
    record.holder = ''
  }

  release(partition: number, offset: number): void {
    this.#of(partition, offset).holder = ''
  }

  unknown(partition: number, offset: number, now: number): void {
    this.#of(partition, offset).unknownAt = now
  }

  /** A fetch got no answer, and may have taken whatever was there. */
  lose(now: number): void {
    this.#lost.push(now)
  }

  /** A member has lost its session: what it had is anybody's. */
  letGo(member: string): void {
    for (const record of this.#records.values()) if (record.holder === member) record.holder = ''
  }

  /** The broker is another, or somebody's connection was cut. */
  letGoOfAll(now: number): void {
    this.#since = now
    for (const record of this.#records.values()) record.holder = ''
  }

  /** Records that there are. */
  take(happened: Happened, now: number): void {
    if ((happened.t !== 'log' && happened.t !== 'sent') || happened.topic !== this.#topic) return
    if (happened.t === 'sent') {
      const { producer, from, count } = happened
      for (let n = from; n < from + count; n++) this.#sentAt.set(`${producer}#${n}`, now)
    } else
      for (const [offset, id] of happened.records) {
        const record = this.#of(happened.partition, offset)
        record.thereAt = this.#sentAt.get(id) ?? record.thereAt
      }
  }

  /** A record that nobody has accepted yet, in a word; '' where there is none. */
  behind(): string {
    for (const [name, { acceptedAt, unknownAt, deliveries, thereAt }] of this.#records) {
      const lost = this.#lost.filter((at) => at + lateMs >= thereAt).length
      if (acceptedAt === Infinity && unknownAt === Infinity && deliveries + lost < this.#deliveriesMax)
        return `${this.#topic} ${name} was handed out ${deliveries} times, and nobody has accepted it`
    }
    return ''
  }
}
