// One line of the list: a sentence, and how it is played with any client.
import type { Stage } from './stage.ts'

export interface Scenario {
  readonly title: string
  readonly play: (stage: Stage) => Promise<void>
  /** The broker is stopped on the way. */
  readonly restarts?: boolean
}

export function scenario(title: string, play: (stage: Stage) => Promise<void>): Scenario {
  return { title, play }
}

export function restarting(title: string, play: (stage: Stage) => Promise<void>): Scenario {
  return { title, play, restarts: true }
}
