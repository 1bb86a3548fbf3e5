// What can be said of a view when it is made; afterwards all but its time to live is as it is. Listed for views only.

import { viewKinds } from '../revision/view-config.ts'
import type { TopicRow } from './topic-config-rows.ts'

const fixed = (name: string, doc: string, more: Partial<TopicRow> = {}): TopicRow => ({
  name,
  type: 'string',
  default: null,
  effect: true,
  internal: true,
  group: 'view',
  fixed: true,
  doc,
  ...more,
})

export const viewTopicRows: readonly TopicRow[] = [
  fixed('view.of', 'The topic whose records the view shows; it has none of its own.'),
  fixed(
    'view.kind',
    'What is shown: state (the newest value of each key), history (every value), diff (what changed) or list (what there is, as JSON).',
    { oneOf: [...viewKinds] },
  ),
  fixed(
    'view.at',
    'Of a state: as of where. latest moves with the topic; offset:N, offsets:0=N,1=M and timestamp:<ms or ISO-8601> stay.',
  ),
  fixed('view.offsets', 'What view.at was at creation: records below these offsets are shown, as 0=N,1=M.'),
  fixed('view.key', 'Shows this key only.'),
  fixed('view.key.base64', 'As view.key, for a key that is no text.'),
  fixed(
    'view.where',
    'Shows documents with a value at a place that the topic indexes (revision.index.json): /status=paid.',
  ),
  {
    ...fixed('view.ttl.ms', 'The view is deleted this long after it was last read; -1: never.'),
    type: 'long',
    default: '-1',
    min: -1,
    fixed: false,
  },
]
