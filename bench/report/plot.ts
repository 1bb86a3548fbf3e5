// Plots as inline SVG: ratios against their goals, curves, and the rounds of a figure. Colours come from the page; what a colour says
// is said by shape or word as well.
import type { PeerValues, Row } from './results.ts'

export const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, (sign) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[sign] ?? sign)

/** Three digits, and thousands apart. */
export function told(value: number): string {
  if (!Number.isFinite(value)) return '–'
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en')
  return `${Number(value.toPrecision(3))}`
}

const at = (value: number) => value.toFixed(1)

interface Scale {
  (value: number): number
  readonly ticks: readonly number[]
}

function logScale(values: readonly number[], from: number, to: number): Scale {
  const positive = values.filter((value) => value > 0 && Number.isFinite(value))
  const low = Math.log10(Math.min(...positive))
  const high = Math.log10(Math.max(...positive))
  const slack = Math.max(0.05, (high - low) * 0.04)
  const [bottom, top] = [low - slack, high + slack]
  const place = (value: number) =>
    from + ((Math.log10(Math.max(value, 10 ** bottom)) - bottom) / (top - bottom)) * (to - from)
  const decades = top - bottom
  const steps = decades < 2.2 ? [1, 2, 5] : decades < 3.5 ? [1, 3] : [1]
  const every = Math.max(1, Math.ceil((top - bottom) / 7))
  const ticks: number[] = []
  for (let power = Math.floor(bottom); power <= Math.ceil(top); power++)
    for (const step of power % every === 0 ? steps : []) {
      const tick = step * 10 ** power
      if (Math.log10(tick) >= bottom && Math.log10(tick) <= top) ticks.push(tick)
    }
  return Object.assign(place, { ticks: decades < 0.8 ? evenTicks(10 ** low, 10 ** high) : ticks })
}

/** Where all lies within a part of a decade. */
function evenTicks(low: number, high: number): number[] {
  const span = high - low || high
  const power = 10 ** Math.floor(Math.log10(span / 2))
  const step = [1, 2, 5, 10].map((each) => each * power).find((each) => span / each <= 4) ?? power
  const first = Math.ceil(low / step)
  return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, i) => (first + i) * step)
}

/** As many nines, so that the tail has room. */
const nines = (percent: number) => -Math.log10(1 - percent / 100)

function percentileScale(values: readonly number[], from: number, to: number): Scale {
  const low = nines(Math.min(...values))
  const high = nines(Math.max(...values))
  return Object.assign((value: number) => from + ((nines(value) - low) / (high - low || 1)) * (to - from), {
    ticks: [...new Set(values)],
  })
}

const text = (x: number, y: number, said: string, more = '') =>
  `<text x="${at(x)}" y="${at(y)}" ${more}>${escaped(said)}</text>`
const line = (x1: number, y1: number, x2: number, y2: number, kind: string) =>
  `<line x1="${at(x1)}" y1="${at(y1)}" x2="${at(x2)}" y2="${at(y2)}" class="${kind}"/>`

/** One row per figure with a goal: where the ratio lies and between what, and the goal as a bar with its arm to the good side. */
export function ratioPlot(rows: readonly Row[]): string {
  const shown = rows.filter(({ ratio, verdict }) => ratio && verdict && ratio.median > 0)
  if (!shown.length) return ''
  const [left, width, right, step, top] = [390, 1000, 110, 24, 34]
  const height = top + shown.length * step + 8
  const bounds = shown.flatMap(({ ratio, verdict }) => [ratio!.min, ratio!.max, verdict!.bound, 1])
  const x = logScale(bounds, left, width - right)
  const grid = x.ticks.map(
    (tick) =>
      line(x(tick), top - 8, x(tick), height, 'grid') +
      text(x(tick), top - 14, `${told(tick)}×`, 'class="tick" text-anchor="middle"'),
  )
  const drawn = shown.map(({ figure, ratio, verdict }, i) => {
    const y = top + i * step + step / 2
    const { median, min, max, of } = ratio!
    const { bound, isReached, goal } = verdict!
    const arm = goal.startsWith('at least') ? 7 : -7
    const kind = isReached ? 'reached' : 'missed'
    const mark = isReached
      ? `<circle cx="${at(x(median))}" cy="${at(y)}" r="5"/>`
      : `<path d="M${at(x(median) - 5)} ${at(y - 5)}l10 10m0-10l-10 10"/>`
    const goalMark = `<path class="goal" d="M${at(x(bound) + arm)} ${at(y - 7)}H${at(x(bound))}V${at(y + 7)}h${arm}"/>`
    const title = `${figure}: ${told(median)} [${told(min)}–${told(max)}] of ${of}, goal ${goal}`
    return (
      `<g class="${kind}"><title>${escaped(title)}</title>${text(left - 14, y + 4, figure, 'text-anchor="end" class="name"')}` +
      `${goalMark}${line(x(min), y, x(max), y, 'range')}${mark}${text(width - right + 14, y + 4, `${told(median)}× ${isReached ? '✓' : '✗'}`)}</g>`
    )
  })
  const one = line(x(1), top - 8, x(1), height, 'one')
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="ratios and goals">${grid.join('')}${one}${drawn.join('')}</svg>`
}

/** A curve for each peer, with what lay between the lowest and highest round as whiskers; both axes are logarithmic. */
export function curvePlot(rows: readonly Row[], peers: readonly string[]): string {
  const [width, height, left, right, top, bottom] = [480, 300, 62, 84, 14, 44]
  const points = rows.flatMap(({ point, values }) => (point ? values.map((value) => ({ ...value, x: point.x })) : []))
  if (!points.length) return ''
  const { axis } = rows[0]!.point!
  const xs = points.map((point) => point.x)
  const x = (axis === 'percentile' ? percentileScale : logScale)(xs, left, width - right)
  const y = logScale(
    points.flatMap(({ min, max }) => [min, max]),
    height - bottom,
    top,
  )
  const grid = [
    ...y.ticks.map(
      (tick) =>
        line(left, y(tick), width - right, y(tick), 'grid') +
        text(left - 8, y(tick) + 4, told(tick), 'class="tick" text-anchor="end"'),
    ),
    ...x.ticks.map(
      (tick) =>
        line(x(tick), top, x(tick), height - bottom, 'grid') +
        text(
          x(tick),
          height - bottom + 17,
          axis === 'percentile' ? `${tick}` : told(tick),
          'class="tick" text-anchor="middle"',
        ),
    ),
  ]
  const curves = peers.map((peer, i) => {
    const own = points.filter((point) => point.peer === peer).sort((a, b) => a.x - b.x)
    const last = own.at(-1)
    if (!last) return ''
    const path = own.map((point) => `${at(x(point.x))},${at(y(point.median))}`).join(' ')
    const marks = own.map((point) => {
      const title = `${peer}, ${axis} ${told(point.x)}: ${told(point.median)} [${told(point.min)}–${told(point.max)}] ${rows[0]!.unit}`
      return `<g><title>${escaped(title)}</title>${line(x(point.x), y(point.min), x(point.x), y(point.max), 'range')}${dot(x(point.x), y(point.median), i)}</g>`
    })
    return `<g class="peer${i}"><polyline points="${path}"/>${marks.join('')}${text(x(last.x) + 10, y(last.median) + 4, peer)}</g>`
  })
  const axes = text((left + width - right) / 2, height - 8, axis, 'class="tick" text-anchor="middle"')
  const unit = text(left - 8, top + 2 - 6, rows[0]!.unit, 'class="tick" text-anchor="end"')
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(rows[0]!.point!.plot)}">${grid.join('')}${curves.join('')}${axes}${unit}</svg>`
}

const dot = (x: number, y: number, peer: number) =>
  peer === 0
    ? `<circle cx="${at(x)}" cy="${at(y)}" r="4"/>`
    : `<rect x="${at(x - 3.5)}" y="${at(y - 3.5)}" width="7" height="7"/>`

/** Every round of every peer from 0 to the largest: how far the rounds lie apart, beside how far the peers do. */
export function strip(values: readonly PeerValues[], peers: readonly string[]): string {
  const [width, lane] = [180, 11]
  const largest = Math.max(...values.flatMap(({ rounds }) => rounds), 0)
  if (!(largest > 0)) return ''
  const x = (value: number) => 5 + (value / largest) * (width - 10)
  const lanes = values.map(({ peer, rounds, median }, i) => {
    const y = lane * i + lane / 2
    const color = peers.indexOf(peer)
    const marks = rounds.map(
      (round) => `<g><title>${escaped(`${peer}: ${told(round)}`)}</title>${dot(x(round), y, color)}</g>`,
    )
    return `<g class="peer${color}">${line(x(0), y, x(median), y, 'bar')}${marks.join('')}</g>`
  })
  return `<svg class="strip" aria-hidden="true" viewBox="0 0 ${width} ${lane * values.length}" width="${width}">${lanes.join('')}</svg>`
}
