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
  #version = -1
  /** Names by what is left of them in metrics. Looked through once for all topics of a request: there may be thousands. */
  #names = new Map<string, string>()

  /** `version` changes whenever `names` do. */
  check(name: string, names: Iterable<string>, version: number): Refusal | undefined {
    if (!/[._]/.test(name)) return undefined // as good as its own name, which is looked at elsewhere
    if (version !== this.#version) {
      this.#names = new Map(Array.from(names, (other) => [collisionKey(other), other]))
      this.#version = version
    }
    const other = this.#names.get(collisionKey(name))
    if (other === undefined) return undefined
    return new Refusal('INVALID_TOPIC_EXCEPTION', `Topic '${name}' collides with existing topic: ${other}`)
  }
}

const collisionKey = (name: string): string => name.replaceAll('.', '_')
