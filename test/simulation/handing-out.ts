// What a share group may do with records (KIP-932), as a model: what was accepted is never handed out again, what somebody has nobody
// else is given, and in the end every record was accepted.

import type { Happened } from '../crash-lab/history.ts'

/** Of one record. */
type Handed = {
  /** When whoever accepted it was told that it is so. */
  acceptedAt: number
  /** Somebody accepted or gave it up, and heard nothing. */
  isUnknown: boolean
  deliveries: number
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
  /** Fetches of which nobody knows what they took. */
  lost = 0

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
    const handed = { acceptedAt: Infinity, isUnknown: false, deliveries: 0, holder: '', until: 0 }
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

  unknown(partition: number, offset: number): void {
    this.#of(partition, offset).isUnknown = true
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
  take(happened: Happened): void {
    if (happened.t !== 'log' || happened.topic !== this.#topic) return
    for (const [offset] of happened.records) this.#of(happened.partition, offset)
  }

  /** A record that nobody has accepted yet, in a word; '' where there is none. */
  behind(): string {
    for (const [name, { acceptedAt, isUnknown, deliveries }] of this.#records) {
      if (acceptedAt === Infinity && !isUnknown && deliveries + this.lost < this.#deliveriesMax)
        return `${this.#topic} ${name} was handed out ${deliveries} times, and nobody has accepted it`
    }
    return ''
  }
}
