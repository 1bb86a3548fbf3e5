// From what a view is configured to show to the records that it shows.

import type { Revisions } from './revisions.ts'
import { KeySelection, type Selection, WholeSelection } from './selection.ts'
import { LiveSelection, StateSelection } from './state-selection.ts'
import type { ViewConfig } from './view-config.ts'
import { WhereSelection } from './where-selection.ts'

/** What a view shows of one partition. */
export function selectionOf(revisions: Revisions, view: ViewConfig, partition: number): Selection {
  const { kind, key, where } = view
  if (kind === 'state') {
    const below = view.below(partition)
    return below === Infinity ? new LiveSelection(revisions) : new StateSelection(revisions, below)
  }
  const all = key === undefined ? new WholeSelection(revisions) : new KeySelection(revisions, key)
  return where === undefined ? all : new WhereSelection(revisions, all, where, key === undefined)
}
