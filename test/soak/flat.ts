// Whether what a process holds stays as it is: judged by the last two thirds of a run, for the first third it grows into
// its work. What it does at the moment makes saws of memory, so it is the lowest readings that tell.

import type { Gauges } from './gauges.ts'

type Held = 'heldMb' | 'heapMb' | 'descriptors' | 'fileMaps' | 'maps'

/** Over the span that is looked at something may grow by so much, or by so large a part of where it began. */
const bounds: Readonly<Record<Held, { readonly most: number; readonly part: number }>> = {
  heldMb: { most: 10, part: 0.08 },
  heapMb: { most: 8, part: 0.15 },
  descriptors: { most: 16, part: 0.1 },
  fileMaps: { most: 40, part: 0.15 },
  maps: { most: 400, part: 0.5 },
}
const windows = 10
/** Fewer readings than this say nothing. */
const readingsMin = 3 * windows

export type Trend = {
  readonly what: Held
  readonly from: number
  /** What the line through the lows gains from one end of the span to the other. */
  readonly growth: number
  readonly perHour: number
  readonly isFlat: boolean
}

/** How long a run has to be before it tells whether anything grows, with a reading every so often. */
export const tellsAfterSeconds = (everySeconds: number): number => 1.5 * readingsMin * everySeconds

type Point = readonly [seconds: number, value: number]

function lows(points: readonly Point[]): Point[] {
  const [first, last] = [points[0]![0], points.at(-1)![0]]
  const width = (last - first) / windows
  const found: Point[] = []
  for (let i = 0; i < windows; i++) {
    const within = points.filter(([at]) => at >= first + i * width && at <= first + (i + 1) * width)
    const low = within.reduce<Point | undefined>((a, b) => (a === undefined || b[1] < a[1] ? b : a), undefined)
    if (low !== undefined) found.push(low)
  }
  return found
}

/** The line with the least squares. */
function line(points: readonly Point[]): { slope: number; at: (x: number) => number } {
  const n = points.length
  const [x, y] = [0, 1].map((i) => points.reduce((sum, point) => sum + point[i as 0 | 1], 0) / n) as [number, number]
  const across = points.reduce((sum, point) => sum + (point[0] - x) ** 2, 0)
  const slope = across === 0 ? 0 : points.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0) / across
  return { slope, at: (at) => y + slope * (at - x) }
}

/** Nothing where the run was too short to tell. */
export function trendsOf(readings: readonly Gauges[]): Trend[] {
  const end = readings.at(-1)?.seconds ?? 0
  const late = readings.filter(({ seconds }) => seconds >= end / 3)
  if (late.length < readingsMin) return []
  return (Object.keys(bounds) as Held[]).map((what) => {
    const found = lows(late.map((each) => [each.seconds, each[what]] as const))
    const { slope, at } = line(found)
    const span = late.at(-1)!.seconds - late[0]!.seconds
    const from = at(late[0]!.seconds)
    const { most, part } = bounds[what]
    return {
      what,
      from,
      growth: slope * span,
      perHour: slope * 3600,
      isFlat: slope * span <= Math.max(most, part * from),
    }
  })
}

export const trendLine = ({ what, from, growth, perHour, isFlat }: Trend): string =>
  `${isFlat ? 'flat' : 'GROWS'}: ${what} from ${from.toFixed(1)} by ${growth.toFixed(1)} (${perHour.toFixed(1)} an hour)`
