// JSON that keeps the letters of others: a value that is JSON goes out as it was written, so that 1.0 and 12345678901234567890
// survive whoever shows them.

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
