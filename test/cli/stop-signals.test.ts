// What a broker does at SIGINT and SIGTERM.

import { expect, test } from 'vitest'
import { stopper } from '../../src/cli/stop-signals.ts'

function stage() {
  const done: string[] = []
  const clock = { ms: 1000 }
  const signals = stopper(
    () => clock.ms,
    () => done.push('stop'),
    () => done.push('quit'),
  )
  return { done, clock, ...signals }
}

test('the first signal stops, a second one does not wait', () => {
  const { done, clock, insist } = stage()
  insist()
  clock.ms += 600
  insist()
  expect(done).toEqual(['stop', 'quit'])
})

// `npm start` at a terminal: Ctrl-C goes to npm and to the broker, and npm sends it on. The broker took it for impatience.
test('one Ctrl-C that comes twice is one', () => {
  const { done, clock, insist } = stage()
  insist()
  clock.ms += 20
  insist()
  expect(done).toEqual(['stop'])
})

test('a terminal that is closed stops, and waits however often it says so', () => {
  const { done, clock, ask, insist } = stage()
  ask()
  clock.ms += 600
  ask()
  expect(done).toEqual(['stop'])
  insist()
  expect(done).toEqual(['stop', 'quit'])
})
