// Collects the values of a run and says how the peers stand to each other. The ratio is taken within each round, so
// that both sides of it saw the same minute of the machine; its median, lowest and highest over the rounds are given.
import type { Usage } from './meter.ts'
import type { Peer } from './peers.ts'

export interface Figure {
  readonly name: string
  readonly unit: string
  /** What the ratio to the other peer should reach, where a goal is set. */
  readonly goal?: Bound
  /** What the value itself should reach: a figure that has nobody to be compared to. */
  readonly aim?: Bound
  /** Where it lies on a plot, as one point of its peer's curve. */
  readonly curve?: { readonly plot: string; readonly axis: string; readonly x: number }
}

export type Bound = { readonly least: number } | { readonly most: number }

interface Value {
  readonly round: number
  readonly value: number
  readonly usage: Usage | undefined
}

interface Row {
  readonly figure: Figure
  readonly client: string
  readonly byPeer: Map<Peer, Value[]>
}

export type Line = Readonly<Record<string, unknown>>

/** The values of one journey. */
export class Table {
  readonly #journey: string
  readonly #peers: readonly Peer[]
  readonly #rows = new Map<string, Row>()

  constructor(journey: string, peers: readonly Peer[]) {
    this.#journey = journey
    this.#peers = peers
  }

  add(peer: Peer, round: number, client: string, figure: Figure, value: number, usage?: Usage): void {
    const row: Row = this.#rows.get(figure.name) ?? { figure, client, byPeer: new Map() }
    this.#rows.set(figure.name, row)
    row.byPeer.set(peer, [...(row.byPeer.get(peer) ?? []), { round, value, usage }])
  }

  *lines(): Generator<Line> {
    for (const row of this.#rows.values()) {
      // Those of the run first, then any that only this journey knows.
      const present = [...new Set([...this.#peers, ...row.byPeer.keys()])].filter((peer) => row.byPeer.has(peer))
      for (const peer of present) yield this.#peerLine(row, peer, row.byPeer.get(peer)!)
      const [ours, theirs, ...more] = present
      if (ours && theirs) yield this.#ratioLine(row, ours, theirs, row.figure.goal)
      for (const floor of more) for (const peer of [ours!, theirs!]) yield this.#ratioLine(row, peer, floor)
    }
    const values = [...this.#rows.values()].flatMap(({ byPeer }) => [...byPeer.values()].flat())
    const usages = [...new Set(values.flatMap(({ usage }) => usage ?? []))] // one run gives several figures
    if (usages.length) yield { journey: this.#journey, noise: noise(usages) }
  }

  #peerLine({ figure, client }: Row, peer: Peer, values: readonly Value[]): Line {
    const usages = values.flatMap(({ usage }) => (usage && usage.wallS >= judgedS ? usage : []))
    return {
      journey: this.#journey,
      figure: figure.name,
      peer: peer.name,
      unit: figure.unit,
      client,
      ...spread(values.map(({ value }) => value)),
      rounds: values.map(({ value }) => short(value)),
      ...figure.curve,
      ...(figure.aim ? verdict(figure.aim, median(values.map(({ value }) => value))) : {}),
      ...(usages.length ? { otherCores: usages.map(({ otherCores }) => short(otherCores, 2)) } : {}),
    }
  }

  #ratioLine({ figure, byPeer }: Row, ours: Peer, theirs: Peer, goal?: Bound): Line {
    const ratios = byPeer.get(ours)!.flatMap(({ round, value }) => {
      const other = byPeer.get(theirs)!.find((candidate) => candidate.round === round)
      return other && other.value > 0 ? value / other.value : []
    })
    return {
      journey: this.#journey,
      figure: figure.name,
      ratio: `${ours.name} / ${theirs.name}`,
      ...spread(ratios),
      ...(goal && ratios.length ? verdict(goal, median(ratios)) : {}),
    }
  }
}

function verdict(goal: Bound, value: number): Line {
  return 'least' in goal
    ? { goal: `at least ${goal.least}`, reached: value >= goal.least }
    : { goal: `at most ${goal.most}`, reached: value <= goal.most }
}

// From this on, differences of rates are the neighbours' as much as the brokers'; CPU seconds suffer less.
const noisyCores = 0.3
// CPU is counted in ticks of 10 ms on each core: over less than this, what others took is mostly rounding.
const judgedS = 0.5

function noise(all: readonly Usage[]): Line {
  const usages = all.filter(({ wallS }) => wallS >= judgedS)
  if (!usages.length) return { note: `not judged: every measurement took less than ${judgedS} s` }
  const others = usages.map(({ otherCores }) => otherCores)
  const stolen = usages.map(({ stolenCores }) => stolenCores)
  const noisy = others.filter((cores, i) => cores + stolen[i]! > noisyCores).length
  return {
    otherCores: spread(others),
    stolenCores: spread(stolen),
    loadAverage: spread(usages.map(({ load }) => load)),
    note: noisy
      ? `${noisy} of ${usages.length} measurements had more than ${noisyCores} cores taken by others`
      : 'quiet',
  }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

function spread(values: readonly number[]): Line {
  if (!values.length) return {}
  return { median: short(median(values)), min: short(Math.min(...values)), max: short(Math.max(...values)) }
}

/** Three or four digits are all that a benchmark on a shared machine can vouch for. */
function short(value: number, digits = 4): number {
  return Number(value.toPrecision(digits))
}

/** The same for people: one row per figure and peer, and what was aimed at. */
export function asTable(lines: readonly Line[]): string {
  const rows = lines
    .filter((line) => line['median'] !== undefined && line['figure'] !== undefined)
    .map((line) => [
      `${line['figure']}`,
      `${line['peer'] ?? line['ratio']}`,
      `${line['median']}`,
      `[${line['min']}–${line['max']}]`,
      `${line['unit'] ?? ''}`,
      line['goal'] === undefined ? '' : `${line['goal']}: ${line['reached'] ? 'yes' : 'MISSED'}`,
    ])
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]!.length))) ?? []
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column]!))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('')
}
