// Reads the fields of a command one by one and remembers the first thing that is wrong, and what nobody asked for: a word that
// is misspelt must not turn a careful merge into a careless one.

type Object = Readonly<Record<string, unknown>>

const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

export class CommandFields {
  readonly #given: Object
  readonly #asked = new Set<string>()
  #problem: string | undefined

  constructor(given: Object) {
    this.#given = given
  }

  /** The first thing wrong; undefined where all is well. Asked last, for it looks at what is left over. */
  get problem(): string | undefined {
    const strange = Object.keys(this.#given).find((name) => !this.#asked.has(name))
    if (this.#problem !== undefined || strange === undefined) return this.#problem
    return `there is no field '${strange.slice(0, 60)}'; there are ${[...this.#asked].join(', ')}`
  }

  refuse(problem: string): void {
    this.#problem ??= problem
  }

  has(name: string): boolean {
    return this.#take(name) !== undefined
  }

  #take(name: string): unknown {
    this.#asked.add(name)
    return this.#given[name]
  }

  text(name: string): string | undefined {
    const value = this.#take(name)
    if (value === undefined) return undefined
    if (typeof value === 'string' && value !== '') return value
    this.refuse(`'${name}' must be a text that is not empty`)
    return undefined
  }

  needText(name: string): string {
    const text = this.text(name)
    if (text === undefined) this.refuse(`'${name}' is missing`)
    return text ?? ''
  }

  flag(name: string): boolean {
    const value = this.#take(name)
    if (value !== undefined && typeof value !== 'boolean') this.refuse(`'${name}' must be true or false`)
    return value === true
  }

  /** A whole number from 0 to `max`. */
  number(name: string, max = Number.MAX_SAFE_INTEGER): number | undefined {
    const value = this.#take(name)
    if (value === undefined) return undefined
    if (Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= max) return value as number
    this.refuse(`'${name}' must be a whole number from 0 to ${max}`)
    return undefined
  }

  oneOf<const W extends string>(name: string, words: readonly W[]): W | undefined {
    const value = this.#take(name)
    if (value === undefined || words.includes(value as W)) return value as W | undefined
    this.refuse(`'${name}' must be one of ${words.join(', ')}`)
    return undefined
  }

  /** Bytes given as a text, or under `<name>Base64`; null only where it is allowed. */
  bytes(name: string, nullable?: 'nullable'): Buffer | null | undefined {
    const plain = this.#take(name)
    const packed = this.#take(`${name}Base64`)
    if (plain !== undefined && packed !== undefined)
      this.refuse(`'${name}' and '${name}Base64' say the same thing twice`)
    if (packed !== undefined) return this.#unpack(packed, `${name}Base64`)
    if (plain === undefined || (plain === null && nullable !== undefined)) return plain
    if (typeof plain === 'string') return Buffer.from(plain)
    this.refuse(`'${name}' must be a text; bytes that are none go into '${name}Base64'`)
    return undefined
  }

  #unpack(value: unknown, name: string): Buffer | undefined {
    if (typeof value === 'string' && base64.test(value)) return Buffer.from(value, 'base64')
    this.refuse(`'${name}' must be base64`)
    return undefined
  }

  needBytes(name: string): Buffer {
    const bytes = this.bytes(name)
    if (bytes === undefined || bytes === null) this.refuse(`'${name}' is missing`)
    return bytes ?? Buffer.alloc(0)
  }

  /** A list of texts under `name` and of base64 under `<name>Base64`, together. */
  bytesList(name: string): Buffer[] | undefined {
    const plain = this.#list(name)?.map((one) => {
      if (typeof one !== 'string') this.refuse(`'${name}' must be a list of texts`)
      return Buffer.from(String(one))
    })
    const packed = this.#list(`${name}Base64`)?.map((one) => this.#unpack(one, `${name}Base64`) ?? Buffer.alloc(0))
    return plain === undefined && packed === undefined ? undefined : [...(plain ?? []), ...(packed ?? [])]
  }

  #list(name: string): unknown[] | undefined {
    const value = this.#take(name)
    if (value === undefined || (Array.isArray(value) && value.length > 0)) return value as unknown[] | undefined
    this.refuse(`'${name}' must be a list that is not empty`)
    return undefined
  }

  /** Each object of a list, read by the same words. */
  objects<T>(name: string, read: (fields: CommandFields) => T): T[] | undefined {
    return this.#list(name)?.map((one, index) => {
      const fields = new CommandFields(isObject(one) ? one : {})
      const result = read(fields)
      const problem = isObject(one) ? fields.problem : 'an object is expected'
      if (problem !== undefined) this.refuse(`'${name}' ${index}: ${problem}`)
      return result
    })
  }

  /** An object whose values are of one kind. */
  record<T>(
    name: string,
    kind: string,
    is: (value: unknown, key: string) => value is T,
  ): Record<string, T> | undefined {
    const value = this.#take(name)
    if (value === undefined) return undefined
    if (isObject(value) && Object.entries(value).every(([key, each]) => is(each, key)))
      return value as Record<string, T>
    this.refuse(`'${name}' must be ${kind}`)
    return undefined
  }
}

export const isObject = (value: unknown): value is Object =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
