// What the measurements are told by, without measuring: ratios within a round, a race that goes on, and a page that needs nothing else.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { type Line, Table } from '../../bench/compare.ts'
import type { Peer } from '../../bench/peers.ts'
import { finishedIn, linesOf } from '../../bench/race.ts'
import { report } from '../../bench/report/report.ts'

const folder = mkdtempSync(join(tmpdir(), 'twiglog-race-'))
afterAll(() => rmSync(folder, { recursive: true }))

const peer = (name: string): Peer => ({ name, version: '1', prepare: () => Promise.reject(new Error('not started')) })
const [ours, kafka, loop] = [peer('twiglog'), peer('Kafka'), peer('bare <C> loop')] as const
const header: Line = { peers: ['twiglog 1', 'Kafka 4'], clients: ['raw'], rounds: 2, scale: 1, machine: 'a machine' }

const linesOfTable = (): Line[] => {
  const table = new Table('produce', [ours, kafka])
  const rate = { name: 'produce 1 KB', unit: 'msg/s', goal: { least: 1.6 } }
  for (const [round, values] of [
    [300, 100],
    [100, 50],
  ].entries()) {
    table.add(ours, round, 'raw', rate, values[0]!)
    table.add(kafka, round, 'raw', rate, values[1]!)
    for (const x of [50, 99.9]) {
      const figure = { name: `end to end ${x}`, unit: 'ms', curve: { plot: 'End to end', axis: 'percentile', x } }
      table.add(ours, round, 'raw', figure, x / 100)
      table.add(kafka, round, 'raw', figure, x)
    }
  }
  const bare = { name: 'to a file', unit: 'msg/s', goal: { least: 0.6 } }
  table.add(ours, 0, 'raw', bare, 50)
  table.add(loop, 0, 'raw', bare, 100)
  return [...table.lines()]
}

describe('a table', () => {
  test('takes the ratio within each round, and says whether the goal is reached', () => {
    const ratio = linesOfTable().find((line) => line['ratio'] === 'twiglog / Kafka')
    expect(ratio).toMatchObject({ figure: 'produce 1 KB', median: 2.5, min: 2, max: 3, reached: true })
  })

  test('sets a peer that only one figure knows beside the first', () => {
    const lines = linesOfTable().filter(({ figure }) => figure === 'to a file')
    expect(lines.map(({ peer, ratio }) => peer ?? ratio)).toEqual([ours.name, loop.name, `twiglog / ${loop.name}`])
    expect(lines.at(-1)).toMatchObject({ median: 0.5, goal: 'at least 0.6', reached: false })
  })
})

describe('a race', () => {
  const path = join(folder, 'race.jsonl')
  const write = (lines: readonly Line[], cutOff = '') =>
    writeFileSync(path, lines.map((line) => `${JSON.stringify(line)}\n`).join('') + cutOff)

  test('goes on behind the last journey that is whole, and forgets what was cut off or failed', () => {
    const whole: Line[] = [header, { journey: 'start', figure: 'ms', median: 1 }, { journey: 'start', done: true }]
    const failed: Line[] = [
      { journey: 'small', figure: 'rate', problem: 'refused' },
      { journey: 'small', done: false },
    ]
    write([...whole, ...failed, { journey: 'produce', figure: 'rate', median: 1 }], '{"journey":"prod')
    expect([...finishedIn(path, header)]).toEqual(['start'])
    expect(linesOf(path)).toEqual(whole)
  })

  test('is not gone on with under other conditions, for their figures would stand side by side', () => {
    write([header])
    expect(() => finishedIn(path, { ...header, scale: 0.1 })).toThrow('begun with scale 1')
    expect(readFileSync(path, 'utf8')).toContain('a machine')
  })
})

describe('the page of a run', () => {
  const page = report([header, ...linesOfTable(), { journey: 'produce', figure: 'x', note: 'left <out>' }])

  test('tells goals, curves and every figure', () => {
    for (const said of ['Goals: 1 of 2 reached', 'End to end', 'produce 1 KB', '2.5× ✓', '0.5× ✗', 'percentile']) {
      expect(page).toContain(said)
    }
    expect(page.match(/<polyline/g)).toHaveLength(2)
  })

  test('needs no network and no script', () => {
    expect(page).not.toMatch(/https?:|<script|<link|@import|src=/)
  })

  test('shows names as they are', () => {
    expect(page).toContain('bare &lt;C&gt; loop')
    expect(page).toContain('left &lt;out&gt;')
    expect(page).not.toContain('NaN')
  })
})
