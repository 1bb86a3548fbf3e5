// What is done in a simulation, one step after the other, all from one seed: each step has a chance of its own, so that one that
// is left out takes nothing away from the others.

import { chanceFrom } from '../crash-lab/chance.ts'

export type Deed =
  | 'send'
  | 'transact'
  | 'poll'
  | 'leave'
  | 'work'
  | 'command'
  | 'garden'
  | 'graft'
  | 'rebirth'
  | 'sweep'
  | 'seek'
  | 'distil'
  | 'switch'
  | 'fork transactions'
  | 'follow'
  | 'kill'
  | 'kill at an operation'
  | 'power cut'
  | 'stop'
  | 'cut'
  | 'weather'
  | 'slow disk'
  | 'full disk'
  | 'broken disk'
  | 'few descriptors'
  | 'clock'
  | 'audit'
  | 'wait'

export type Step = { readonly n: number; readonly deed: Deed }

const weights: readonly (readonly [Deed, number])[] = [
  ['send', 26],
  ['transact', 12],
  ['poll', 28],
  ['leave', 2],
  ['work', 10],
  ['command', 5],
  ['garden', 3],
  ['graft', 3],
  ['rebirth', 1],
  ['sweep', 4],
  ['seek', 4],
  ['distil', 4],
  ['switch', 4],
  ['fork transactions', 2],
  ['follow', 6],
  ['kill', 2],
  ['kill at an operation', 4],
  ['power cut', 3],
  ['stop', 2],
  ['cut', 5],
  ['weather', 4],
  ['slow disk', 3],
  ['full disk', 1],
  ['broken disk', 1],
  ['few descriptors', 2],
  ['clock', 2],
  ['audit', 3],
  ['wait', 3],
]
const sum = weights.reduce((total, [, weight]) => total + weight, 0)

export function planOf(seed: number, steps: number): Step[] {
  const chance = chanceFrom(seed, 'plan')
  return Array.from({ length: steps }, (_, n) => {
    let left = chance() * sum
    for (const [deed, weight] of weights) {
      left -= weight
      if (left < 0) return { n, deed }
    }
    return { n, deed: 'wait' }
  })
}
