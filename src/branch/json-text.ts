// JSON as text that is taken apart and put together again: numbers and strings keep the letters they were written in, so that
// 1.0 and 12345678901234567890 survive. Objects become members, everything else stays a piece of text.

export type JsonObject = { readonly kind: 'object'; readonly members: readonly JsonMember[] }
/** `text` as it stood; `same`: what is compared, without the space between the signs. */
type JsonAtom = { readonly kind: 'atom'; readonly text: string; readonly same: string }
export type JsonNode = JsonObject | JsonAtom
export type JsonMember = { readonly name: string; readonly nameText: string; readonly node: JsonNode }

/** Deeper is no document that anybody merges; and nobody is to exhaust the stack. */
const depthMax = 200
const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
/** What must not be in one, JSON.parse refuses. */
const string = /"(?:[^"\\]|\\.)*"/y
const word = /true|false|null/y
const space = /[ \t\n\r]*/y

class JsonReader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  /** Throws SyntaxError. */
  document(): JsonNode {
    const node = this.#value(0)
    this.#space()
    if (this.#at !== this.#text.length) throw new SyntaxError('more than one value')
    return node
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)?.[0]
    if (found !== undefined) this.#at += found.length
    return found
  }

  #space(): void {
    this.#match(space)
  }

  #takes(sign: string): boolean {
    this.#space()
    if (this.#text[this.#at] !== sign) return false
    this.#at++
    return true
  }

  #needs(sign: string): void {
    if (!this.#takes(sign)) throw new SyntaxError(`'${sign}' is missing at ${this.#at}`)
  }

  #value(depth: number): JsonNode {
    if (depth > depthMax) throw new SyntaxError('too deep')
    if (this.#takes('{')) return this.#object(depth)
    const start = this.#at
    if (this.#takes('[')) return this.#array(start, depth)
    const plain = this.#match(number) ?? this.#match(word)
    if (plain !== undefined) return { kind: 'atom', text: plain, same: plain }
    const text = this.#string()
    return { kind: 'atom', text, same: JSON.stringify(JSON.parse(text)) }
  }

  #string(): string {
    const text = this.#match(string)
    if (text === undefined) throw new SyntaxError(`no value at ${this.#at}`)
    return text
  }

  #array(start: number, depth: number): JsonNode {
    const parts: string[] = []
    if (!this.#takes(']')) {
      do parts.push(sameness(this.#value(depth + 1)))
      while (this.#takes(','))
      this.#needs(']')
    }
    return { kind: 'atom', text: this.#text.slice(start, this.#at), same: `[${parts.join(',')}]` }
  }

  #object(depth: number): JsonObject {
    const members: JsonMember[] = []
    const names = new Set<string>()
    if (this.#takes('}')) return { kind: 'object', members }
    do {
      this.#space()
      const nameText = this.#string()
      const name = JSON.parse(nameText) as string
      // Which of the two would count is for every reader to decide.
      if (names.has(name)) throw new SyntaxError(`'${name}' is there twice`)
      names.add(name)
      this.#needs(':')
      this.#space()
      members.push({ name, nameText, node: this.#value(depth + 1) })
    } while (this.#takes(','))
    this.#needs('}')
    return { kind: 'object', members }
  }
}

/** What two values have in common that mean the same, whatever space is in them and in whatever order members stand. */
export function sameness(node: JsonNode): string {
  if (node.kind === 'atom') return node.same
  const members = node.members.map(({ name, node: value }) => `${JSON.stringify(name)}:${sameness(value)}`)
  return `{${members.sort().join(',')}}`
}

/** The object that bytes hold; undefined where they hold something else. */
export function parseJsonObject(bytes: Buffer | null): JsonObject | undefined {
  if (bytes === null) return undefined
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    const node = new JsonReader(text).document()
    return node.kind === 'object' ? node : undefined
  } catch {
    return undefined
  }
}

export function printJson(node: JsonNode): string {
  if (node.kind === 'atom') return node.text
  return `{${node.members.map(({ nameText, node: value }) => `${nameText}:${printJson(value)}`).join(',')}}`
}
