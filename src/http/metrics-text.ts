// The text form in which Prometheus reads metrics: a family is a name, a kind, a sentence, and samples with labels.

export type Labels = Readonly<Record<string, string | number>>
export type Sample = readonly [labels: Labels, value: number]

export type Family = {
  readonly name: string
  readonly kind: 'gauge' | 'counter'
  readonly doc: string
}

export const textType = 'text/plain; version=0.0.4; charset=utf-8'

const escaped = (text: string): string =>
  text
    .replace(/\p{Surrogate}/gu, '\ufffd')
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"')
    .replaceAll('\n', '\\n')

function printedLabels(labels: Labels): string {
  const all = Object.entries(labels)
  if (all.length === 0) return ''
  return `{${all.map(([name, value]) => `${name}="${escaped(String(value))}"`).join(',')}}`
}

/** Samples of one family stand together, as the form demands. */
export class Exposition {
  readonly #families = new Map<string, { family: Family; lines: string[] }>()

  add(family: Family, labels: Labels, value: number): void {
    if (!Number.isFinite(value)) return
    const known = this.#families.get(family.name) ?? { family, lines: [] }
    this.#families.set(family.name, known)
    known.lines.push(`${family.name}${printedLabels(labels)} ${value}\n`)
  }

  print(): string {
    return [...this.#families.values()]
      .map(
        ({ family: { name, kind, doc }, lines }) => `# HELP ${name} ${doc}\n# TYPE ${name} ${kind}\n${lines.join('')}`,
      )
      .join('')
  }
}
