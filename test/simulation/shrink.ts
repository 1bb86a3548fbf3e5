// From a seed that fails to the fewest of its steps that still do.

import { planOf, type Step } from './plan.ts'
import { type Ran, Simulation } from './simulation.ts'

export type Run = { readonly plan: readonly Step[]; readonly ran: Ran }

/** Runs that are spent on making a history short. */
const triesMax = 120

export async function failing(seed: number, steps: number): Promise<Run> {
  const plan = planOf(seed, steps)
  return { plan, ran: await Simulation.run(seed, plan) }
}

/** Leaves out halves, quarters, … single steps, and keeps what still fails. */
export async function shortest(seed: number, plan: readonly Step[], ran: Ran): Promise<Run> {
  let least: Run = { plan, ran }
  let tries = 0
  for (let size = Math.ceil(plan.length / 2); size >= 1 && tries < triesMax; ) {
    let isShorter = false
    // From the end on: what comes after the failure is not needed.
    for (let at = least.plan.length - size; at > -size && tries < triesMax; at -= size) {
      const from = Math.max(0, at)
      const left = [...least.plan.slice(0, from), ...least.plan.slice(at + size)]
      if (left.length === least.plan.length) continue
      tries++
      const again = await Simulation.run(seed, left)
      if (again.found.length === 0) continue
      least = { plan: left, ran: again }
      isShorter = true
    }
    if (size > 1) size = Math.ceil(size / 2)
    else if (!isShorter) break
  }
  return least
}
