// One page of a run that needs nothing else: what was aimed at and reached, the curves, and every figure with its rounds.
import type { Line } from '../compare.ts'
import { curvePlot, escaped, ratioPlot, strip, told } from './plot.ts'
import { type JourneyResults, type Results, type Row, resultsOf } from './results.ts'
import { style } from './style.ts'

export function report(lines: readonly Line[]): string {
  const results = resultsOf(lines)
  const rows = results.journeys.flatMap((journey) => [...journey.rows.values()])
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>twiglog measured beside Kafka</title>
<style>${style}</style>
<h1>${escaped(title(results))}</h1>
${facts(results)}
${goals(rows)}
${curves(rows, results.peers)}
<h2>Every figure</h2>
<p>Median of the rounds, lowest and highest in brackets; the ratio is taken within each round. Dots are rounds, from 0 on the left.</p>
${results.journeys.map((journey) => journeyPart(journey, results.peers)).join('\n')}
</html>
`
}

const title = ({ peers }: Results) =>
  `${peers[0] ?? 'twiglog'} ${peers[1] ? `measured beside ${peers[1]}` : 'measured'}`

function facts({ header, peers }: Results): string {
  const scale = Number(header['scale'] ?? 1)
  const listed = (name: string) => ((header[name] as string[] | undefined) ?? []).join(', ')
  const warning = scale === 1 ? '' : `<p class="warning">Tried out at scale ${scale}: these figures mean little.</p>`
  const missing = listed('missing') && `<p class="warning">${escaped(listed('missing'))}</p>`
  const said = [
    `${header['date'] ?? ''}`.slice(0, 16).replace('T', ' '),
    `${header['machine'] ?? ''}`,
    `Node ${header['node'] ?? ''}`,
    listed('peers'),
    `clients: ${listed('clients')}`,
    `${header['rounds'] ?? '?'} rounds, in turn`,
    `load before: ${listed('loadAverage')}`,
  ]
  const legend = peers.map((peer, i) => `<span class="peer${i}"><i></i>${escaped(peer)}</span>`).join(' ')
  return `<p class="facts">${said.map(escaped).join(' · ')}</p>${warning}${missing}<p class="legend">${legend}</p>`
}

function goals(rows: readonly Row[]): string {
  const judged = rows.filter(({ verdict }) => verdict)
  if (!judged.length) return ''
  const reached = judged.filter(({ verdict }) => verdict!.isReached).length
  const alone = judged.filter(({ ratio }) => !ratio)
  const list = alone.map(({ figure, values, unit, verdict }) => {
    const value = values[0] ? `${told(values[0].median)} ${unit}` : '–'
    return `<li>${escaped(`${figure}: ${value}, goal ${verdict!.goal} ${verdict!.isReached ? '✓' : '✗'}`)}</li>`
  })
  return `<h2>Goals: ${reached} of ${judged.length} reached</h2>
<p>Ratios, on a logarithmic scale: the mark is the median of the rounds, its line reaches from the lowest to the highest, the bracket is the goal and opens to the good side.</p>
<figure class="wide">${ratioPlot(judged)}</figure>
${list.length ? `<ul>${list.join('')}</ul>` : ''}`
}

function curves(rows: readonly Row[], peers: readonly string[]): string {
  const plots = grouped(rows)
  const drawn = [...plots].flatMap(([plot, members]) =>
    plot === undefined ? [] : `<figure><figcaption>${escaped(plot)}</figcaption>${curvePlot(members, peers)}</figure>`,
  )
  return drawn.length ? `<h2>Curves</h2><div class="plots">${drawn.join('')}</div>` : ''
}

function grouped(rows: readonly Row[]): Map<string | undefined, Row[]> {
  const plots = new Map<string | undefined, Row[]>()
  for (const row of rows) plots.set(row.point?.plot, [...(plots.get(row.point?.plot) ?? []), row])
  return plots
}

function journeyPart({ name, rows, problems, noise, tookS }: JourneyResults, peers: readonly string[]): string {
  const shown = [...rows.values()]
  const columns = [...new Set(shown.flatMap(({ values }) => values.map(({ peer }) => peer)))]
  const body = shown.map((row) => {
    const cells = columns.map((peer) => {
      const value = row.values.find((candidate) => candidate.peer === peer)
      if (!value) return '<td></td>'
      return `<td><b>${told(value.median)}</b> <small>[${told(value.min)}–${told(value.max)}]</small></td>`
    })
    const { ratio, verdict } = row
    const stands = ratio ? `<b>${told(ratio.median)}×</b> <small>[${told(ratio.min)}–${told(ratio.max)}]</small>` : ''
    const judged = verdict ? `${verdict.goal} ${verdict.isReached ? '✓' : '✗'}` : ''
    const kind = verdict && !verdict.isReached ? ' class="missed"' : ''
    return `<tr${kind}><th>${escaped(row.figure)} <small>${escaped(row.unit)}</small></th>${cells.join('')}<td>${stands}</td><td>${judged}</td><td>${strip(row.values, peers)}</td></tr>`
  })
  const heads = columns.map((peer) => `<th>${escaped(peer)}</th>`).join('')
  const table = shown.length
    ? `<table><thead><tr><th></th>${heads}<th>ratio</th><th>goal</th><th>rounds</th></tr></thead><tbody>${body.join('\n')}</tbody></table>`
    : ''
  const said = problems.map((problem) => `<p class="warning">${escaped(problem)}</p>`).join('')
  const noiseSaid = [tookS === undefined ? '' : `took ${tookS} s`, noise].filter(Boolean).join('; ')
  return `<h3>${escaped(name)}</h3>${said}${table}<p class="noise">${escaped(noiseSaid)}</p>`
}
