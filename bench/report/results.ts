// The lines of a run, put together again: which figures each journey has, what each peer reached, and how they stand to each other.
import type { Line } from '../compare.ts'

export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
}

export interface Verdict {
  readonly goal: string
  readonly bound: number
  readonly isReached: boolean
}

export interface PeerValues extends Spread {
  readonly peer: string
  readonly rounds: readonly number[]
}

export interface Row {
  readonly journey: string
  readonly figure: string
  readonly unit: string
  readonly client: string
  readonly values: PeerValues[]
  ratio: (Spread & { readonly of: string }) | undefined
  verdict: Verdict | undefined
  readonly point: { readonly plot: string; readonly axis: string; readonly x: number } | undefined
}

export interface JourneyResults {
  readonly name: string
  readonly rows: Map<string, Row>
  readonly problems: string[]
  noise: string
  tookS: number | undefined
}

export interface Results {
  readonly header: Line
  readonly journeys: readonly JourneyResults[]
  /** In the order of their colours. */
  readonly peers: readonly string[]
}

const spreadOf = (line: Line): Spread => ({
  median: Number(line['median']),
  min: Number(line['min']),
  max: Number(line['max']),
})

function verdictOf(line: Line): Verdict | undefined {
  const goal = line['goal']
  if (typeof goal !== 'string') return undefined
  return { goal, bound: Number(goal.split(' ').at(-1)), isReached: line['reached'] === true }
}

export function resultsOf(lines: readonly Line[]): Results {
  const [header = {}] = lines
  const journeys = new Map<string, JourneyResults>()
  const peers = new Set<string>()
  for (const line of lines.slice(1)) {
    const name = `${line['journey'] ?? 'the run'}`
    const journey: JourneyResults = journeys.get(name) ?? {
      name,
      rows: new Map(),
      problems: [],
      noise: '',
      tookS: undefined,
    }
    journeys.set(name, journey)
    if (line['noise']) journey.noise = noiseOf(line['noise'] as Line)
    if (line['tookS'] !== undefined) journey.tookS = Number(line['tookS'])
    const said = line['problem'] ?? line['note']
    if (said) journey.problems.push([line['figure'], line['peer'], said].filter(Boolean).join(': '))
    if (line['figure'] === undefined || line['median'] === undefined) continue
    if (typeof line['peer'] === 'string') peers.add(line['peer'])
    addFigure(journey, line)
  }
  return { header, journeys: [...journeys.values()], peers: [...peers] }
}

function addFigure(journey: JourneyResults, line: Line): void {
  const figure = `${line['figure']}`
  const { plot, axis, x } = line
  const point = typeof plot === 'string' ? { plot, axis: `${axis}`, x: Number(x) } : undefined
  const row: Row = journey.rows.get(figure) ?? {
    ...{ journey: journey.name, figure, unit: `${line['unit'] ?? ''}`, client: `${line['client'] ?? ''}` },
    ...{ values: [], ratio: undefined, verdict: undefined, point },
  }
  journey.rows.set(figure, row)
  row.verdict ??= verdictOf(line)
  if (typeof line['peer'] === 'string') {
    row.values.push({ peer: line['peer'], ...spreadOf(line), rounds: (line['rounds'] as number[] | undefined) ?? [] })
  } else row.ratio = { of: `${line['ratio']}`, ...spreadOf(line) }
}

function noiseOf(noise: Line): string {
  const others = noise['otherCores'] as Line | undefined
  const taken = others ? `others took ${others['median']} cores [${others['min']}–${others['max']}]; ` : ''
  return `${taken}${noise['note']}`
}
