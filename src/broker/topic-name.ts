// Which names a topic may bear: Kafka's rule, and its warning about names that differ only in `.` and `_`.

import { Refusal } from '../../protocol/errors.ts'

const nameLengthMax = 249

/** A refusal that says what is wrong with a topic's name; undefined for a good one. */
export function checkTopicName(name: string): Refusal | undefined {
  const refuse = (why: string) => new Refusal('INVALID_TOPIC_EXCEPTION', `Topic name is invalid: ${why}`)
  if (name === '') return refuse('the empty string is not allowed')
  if (name === '.' || name === '..') return refuse(`'${name}' is not allowed`)
  if (name.length > nameLengthMax) {
    return refuse(`it has ${name.length} characters, ${nameLengthMax} is the most ('${name.slice(0, 40)}…')`)
  }
  if (!/^[a-zA-Z0-9._-]+$/.test(name)) {
    const shown = JSON.stringify(name.slice(0, 60))
    return refuse(`${shown} holds a character other than ASCII letters, digits, '.', '_' and '-'`)
  }
  return undefined
}

/** Kafka refuses a topic whose name collides with another in metric names, where `.` and `_` are one. */
export class Collisions {
  /** Names by what is left of them in metrics; undefined until somebody asks. There may be thousands, and as many forks of them. */
  #names: Map<string, string> | undefined

  /** `names`: all that there are. */
  check(name: string, names: Iterable<string>): Refusal | undefined {
    if (!/[._]/.test(name)) return undefined // as good as its own name, which is looked at elsewhere
    this.#names ??= new Map(Array.from(names, (other) => [collisionKey(other), other]))
    const other = this.#names.get(collisionKey(name))
    if (other === undefined) return undefined
    return new Refusal('INVALID_TOPIC_EXCEPTION', `Topic '${name}' collides with existing topic: ${other}`)
  }

  added(name: string): void {
    this.#names?.set(collisionKey(name), name)
  }

  removed(name: string): void {
    const key = collisionKey(name)
    if (this.#names?.get(key) === name) this.#names.delete(key)
  }

  /** Names have changed in some other way. */
  forget(): void {
    this.#names = undefined
  }
}

const collisionKey = (name: string): string => name.replaceAll('.', '_')
