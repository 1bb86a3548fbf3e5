// JSON taken apart without a letter of it being changed: what comes in is written as it was sent.

import { Verbatim } from '../branch/verbatim-json.ts'

const space = /[ \t\n\r]*/y
const plain = /[^,\]}\s]+/y

/** Walks a text that is known to be JSON. */
class Walk {
  readonly #text: string
  at: number

  constructor(text: string, at = 0) {
    this.#text = text
    this.at = at
    this.#skip(space)
  }

  #skip(pattern: RegExp): string {
    pattern.lastIndex = this.at
    const found = pattern.exec(this.#text)?.[0] ?? ''
    this.at += found.length
    return found
  }

  sign(sign: string): boolean {
    this.#skip(space)
    if (this.#text[this.at] !== sign) return false
    this.at++
    this.#skip(space)
    return true
  }

  string(): string {
    const start = this.at
    this.#skipString()
    return JSON.parse(this.#text.slice(start, this.at)) as string
  }

  /** By hand: an expression for it runs out of memory within some ten million letters. */
  #skipString(): void {
    for (let end = this.at; ; ) {
      end = this.#text.indexOf('"', end + 1)
      let escapes = 0
      while (this.#text[end - 1 - escapes] === '\\') escapes++
      if (escapes % 2 === 1) continue
      this.at = end + 1
      return
    }
  }

  /** Steps over a value and answers its text. */
  value(): string {
    const start = this.at
    const sign = this.#text[start]
    if (sign === '"') this.#skipString()
    else if (sign === '{' || sign === '[') this.#nest()
    else this.#skip(plain)
    return this.#text.slice(start, this.at)
  }

  #nest(): void {
    let depth = 0
    do {
      const sign = this.#text[this.at]
      if (sign === '"') this.#skipString()
      else {
        if (sign === '{' || sign === '[') depth++
        else if (sign === '}' || sign === ']') depth--
        this.at++
      }
    } while (depth > 0)
  }
}

/** The members of an object as they were written. `text` is known to be JSON, and an object. Of two of a name the last counts. */
export function membersOf(text: string): Map<string, Verbatim> {
  const members = new Map<string, Verbatim>()
  const walk = new Walk(text)
  walk.sign('{')
  if (walk.sign('}')) return members
  do {
    const name = walk.string()
    walk.sign(':')
    members.set(name, new Verbatim(walk.value()))
  } while (walk.sign(','))
  return members
}

/** The elements of an array as they were written. */
export function elementsOf(text: string): Verbatim[] {
  const elements: Verbatim[] = []
  const walk = new Walk(text)
  walk.sign('[')
  if (walk.sign(']')) return elements
  do elements.push(new Verbatim(walk.value()))
  while (walk.sign(','))
  return elements
}
