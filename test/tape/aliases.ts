// Ids that a broker makes up are others in every run. A tape knows the ones of its own run; each broker that it is
// played to has aliases for them, learnt where an answer of the tape and the live one say the same thing.

import * as batch from '../../protocol/records/batch.ts'
import { zeroUuid } from '../../protocol/schema.ts'

/** Fields that hold a number which a broker makes up. */
const numbered = new Set(['producerId', 'sessionId', 'shareSessionId'])
/** Fields that hold a word which a broker makes up. */
const named = new Set(['memberId', 'topicId', 'clusterId', 'leader', 'memberIds'])

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Buffer.isBuffer(value)

/** Of a member only what it brought itself: the id that a broker gives it begins so. */
function nameOf(of: unknown): unknown {
  if (!isObject(of)) return undefined
  const { memberId } = of
  const broughtId = typeof memberId === 'string' ? memberId.replace(/.{36}$/, '') : undefined
  return of['name'] ?? of['groupId'] ?? of['transactionalId'] ?? of['groupInstanceId'] ?? broughtId
}

export class Aliases {
  /** From the tape's to this broker's, and back. */
  readonly #live = new Map<string, string>()
  readonly #taped = new Map<string, string>()
  readonly #liveNumbers = new Map<string, number>()
  readonly #tapedNumbers = new Map<string, number>()

  /** Of a member in a group with heartbeats: how many steps it has taken by the tape, and how many here. */
  readonly #epochs = new Map<string, { taped: number; live: number }>()
  /** How many steps more a group has taken here, by what its members were told last. */
  readonly #ahead = new Map<unknown, number>()

  /** How often a group changes until all have their parts is for each broker to say; its members follow (KIP-848). */
  learnEpoch(asked: Record<string, unknown>, taped: Record<string, unknown>, live: Record<string, unknown>): void {
    const [before, now] = [taped['memberEpoch'], live['memberEpoch']]
    if (typeof before !== 'number' || typeof now !== 'number' || taped['errorCode'] !== 0 || live['errorCode'] !== 0)
      return
    this.#epochs.set(`${asked['groupId']} ${asked['memberId'] || taped['memberId']}`, { taped: before, live: now })
    if (before > 0 && now > 0) this.#ahead.set(asked['groupId'], now - before)
  }

  /** The epoch of a member in a request of the tape, as this broker counts. */
  withEpoch(body: Record<string, unknown>): Record<string, unknown> {
    const { groups } = body
    // OffsetFetch names several groups, each with a member.
    if (Array.isArray(groups) && groups.every(isObject)) {
      return { ...body, groups: groups.map((group) => this.withEpoch(group)) }
    }
    const epoch = this.#epochs.get(`${body['groupId']} ${body['memberId']}`)
    if (epoch === undefined) return body
    const field = ['memberEpoch', 'generationIdOrMemberEpoch'].find((name) => body[name] === epoch.taped)
    return field === undefined || epoch.taped <= 0 ? body : { ...body, [field]: epoch.live }
  }

  /** The epoch in the answer to a heartbeat, as the tape counts. */
  withTapedEpoch(asked: Record<string, unknown>, live: unknown): unknown {
    if (!isObject(live)) return live
    const epoch = this.#epochs.get(`${asked['groupId']} ${asked['memberId'] || live['memberId']}`)
    return epoch !== undefined && live['memberEpoch'] === epoch.live ? { ...live, memberEpoch: epoch.taped } : live
  }

  /** The epochs in the description of groups, as the tape counts. */
  withTapedEpochs(live: unknown): unknown {
    if (!isObject(live) || !Array.isArray(live['groups'])) return live
    const asTaped = (of: Record<string, unknown>, ahead: number, ...fields: string[]) =>
      Object.fromEntries(
        Object.entries(of).map(([name, value]) => [
          name,
          fields.includes(name) && typeof value === 'number' && value > 0 ? value - ahead : value,
        ]),
      )
    const groups = live['groups'].map((group: Record<string, unknown>) => {
      const ahead = this.#ahead.get(group['groupId']) ?? 0
      const members = (group['members'] as Record<string, unknown>[]).map((one) => asTaped(one, ahead, 'memberEpoch'))
      return { ...asTaped(group, ahead, 'groupEpoch', 'assignmentEpoch'), members }
    })
    return { ...live, groups }
  }

  /** Takes in what the tape's answer and the live one say for the same request. */
  learn(taped: unknown, live: unknown, field = ''): void {
    if (Array.isArray(taped) && Array.isArray(live)) {
      // What stands in another order is found by its name.
      const names: unknown[] = live.map(nameOf)
      const areApart = !names.includes(undefined) && new Set(names).size === names.length
      for (const [i, one] of taped.entries()) {
        const at = areApart ? names.indexOf(nameOf(one)) : -1
        this.learn(one, live[at < 0 ? i : at], field)
      }
    } else if (isObject(taped) && isObject(live)) {
      for (const [name, value] of Object.entries(taped)) this.learn(value, live[name], name)
    } else if (typeof taped === 'number' && typeof live === 'number' && numbered.has(field)) {
      // Below 0 there is none, and session 0 is none.
      if (taped < 0 || live < 0 || (field !== 'producerId' && (taped === 0 || live === 0))) return
      this.#liveNumbers.set(`${field} ${taped}`, live)
      this.#tapedNumbers.set(`${field} ${live}`, taped)
    } else if (typeof taped === 'string' && typeof live === 'string' && named.has(field)) {
      if (taped === '' || live === '' || taped === zeroUuid || live === zeroUuid) return
      if (!this.#live.has(taped)) this.#live.set(taped, live)
      if (!this.#taped.has(live)) this.#taped.set(live, taped)
    }
  }

  /** Takes in an answer that no tape has: topics that it names are known by their names. */
  meet(live: unknown): void {
    if (Array.isArray(live)) for (const element of live) this.meet(element)
    if (!isObject(live)) return
    const { name, topicId } = live
    if (typeof topicId === 'string' && topicId !== zeroUuid && typeof name === 'string' && name !== '') {
      if (!this.#taped.has(topicId)) this.#taped.set(topicId, `<id of ${name}>`)
    }
    for (const value of Object.values(live)) this.meet(value)
  }

  /** What the tape says, in this broker's words. */
  toLive(value: unknown): unknown {
    return translate(value, '', this.#live, this.#liveNumbers)
  }

  /** What this broker says, in the tape's words. */
  toTaped(value: unknown): unknown {
    return translate(value, '', this.#taped, this.#tapedNumbers)
  }
}

function translate(value: unknown, field: string, words: Map<string, string>, numbers: Map<string, number>): unknown {
  if (typeof value === 'string') return translateWord(value, words)
  if (typeof value === 'number') return numbered.has(field) ? (numbers.get(`${field} ${value}`) ?? value) : value
  if (Buffer.isBuffer(value)) return field === 'records' ? translateBatches(value, numbers) : value
  if (Array.isArray(value)) return value.map((element) => translate(element, field, words, numbers))
  if (!isObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, of]) => [name, translate(of, name, words, numbers)]))
}

/** Ids stand inside other words too: a share coordinator's key is `group:topicId:partition`. */
function translateWord(value: string, words: Map<string, string>): string {
  const whole = words.get(value)
  if (whole !== undefined) return whole
  if (!value.includes(':')) return value
  return value
    .split(':')
    .map((part) => words.get(part) ?? part)
    .join(':')
}

function translateBatches(bytes: Buffer, numbers: Map<string, number>): Buffer {
  const copy = Buffer.from(bytes)
  try {
    for (const at of batch.iterateBatches(copy)) {
      const other = batch.hasProducerId(copy, at) ? numbers.get(`producerId ${batch.producerId(copy, at)}`) : undefined
      if (other === undefined) continue
      copy.writeBigInt64BE(BigInt(other), at + 43)
      batch.writeCrc(copy, at)
    }
  } catch {
    // No batches: as it is.
  }
  return copy
}
