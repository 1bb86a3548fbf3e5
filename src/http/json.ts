// JSON that keeps the letters of others: a value that is JSON goes out, and comes in, as it was written, so that 1.0 and
// 12345678901234567890 survive.

/** A piece of JSON as it was written. */
export class Verbatim {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

/** As JSON.stringify, with what is verbatim left as it stands. Members that are undefined are left out. */
export function print(value: unknown): string {
  if (value instanceof Verbatim) return value.text
  if (Array.isArray(value)) return `[${value.map(print).join(',')}]`
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null'
  const members = Object.entries(value).filter(([, of]) => of !== undefined)
  return `{${members.map(([name, of]) => `${JSON.stringify(name)}:${print(of)}`).join(',')}}`
}

/** The piece of JSON that a text is; undefined where it is none. */
export function verbatim(text: string): Verbatim | undefined {
  try {
    JSON.parse(text)
    return new Verbatim(text)
  } catch {
    return undefined
  }
}

const space = /[ \t\n\r]*/y
const string = /"(?:[^"\\]|\\.)*"/y
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
    return JSON.parse(this.#skip(string)) as string
  }

  /** Steps over a value and answers its text. */
  value(): string {
    const start = this.at
    const sign = this.#text[start]
    if (sign === '"') this.#skip(string)
    else if (sign === '{' || sign === '[') this.#nest()
    else this.#skip(plain)
    return this.#text.slice(start, this.at)
  }

  #nest(): void {
    let depth = 0
    do {
      const sign = this.#text[this.at]
      if (sign === '"') this.#skip(string)
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
