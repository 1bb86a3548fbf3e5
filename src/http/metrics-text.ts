// The text form in which Prometheus reads metrics: a family is a name, a kind, a sentence, and samples with labels.

import { type Durations, durationBounds } from '../storage/durations.ts'

export type Labels = Readonly<Record<string, string | number>>
export type Sample = readonly [labels: Labels, value: number]

export type Family = {
  readonly name: string
  readonly kind: 'gauge' | 'counter' | 'histogram'
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
    if (Number.isFinite(value)) this.#linesOf(family).push(`${family.name}${printedLabels(labels)} ${value}\n`)
  }

  /** A histogram in seconds. */
  addDurations(family: Family, labels: Labels, durations: Durations): void {
    const lines = this.#linesOf(family)
    const add = (ending: string, more: Labels, value: number) =>
      lines.push(`${family.name}_${ending}${printedLabels({ ...labels, ...more })} ${value}\n`)
    for (const bound of durationBounds) add('bucket', { le: bound / 1000 }, durations.countBelow(bound))
    add('bucket', { le: '+Inf' }, durations.count)
    add('sum', {}, durations.sumMs / 1000)
    add('count', {}, durations.count)
  }

  #linesOf(family: Family): string[] {
    const known = this.#families.get(family.name) ?? { family, lines: [] }
    this.#families.set(family.name, known)
    return known.lines
  }

  print(): string {
    return [...this.#families.values()]
      .map(
        ({ family: { name, kind, doc }, lines }) => `# HELP ${name} ${doc}\n# TYPE ${name} ${kind}\n${lines.join('')}`,
      )
      .join('')
  }
}
