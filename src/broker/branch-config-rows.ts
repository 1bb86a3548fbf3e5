// What can be configured of a branch while it lives, and how branches are limited. Listed where they are in use only: a
// broker without branches looks like any other.

import { protections } from '../branch/branch-config.ts'
import { type BrokerRow, boolean, int, list, long } from './broker-config-row.ts'
import { checkAddresses, checkPortRanges } from './set-addresses.ts'
import type { TopicRow } from './topic-config-rows.ts'

export const branchTopicRows: readonly TopicRow[] = [
  {
    name: 'branch.ttl.ms',
    type: 'long',
    default: '-1',
    min: -1,
    effect: true,
    internal: true,
    doc: 'The branch is deleted this long after records were last produced to or fetched from it, or from any other member of its set; -1: never.',
  },
  {
    name: 'branch.protect',
    type: 'string',
    default: 'none',
    oneOf: [...protections],
    effect: true,
    internal: true,
    doc: 'Who may write here: everybody (none), only merges, reverts and resolutions (merge), or nobody, and it cannot be deleted (frozen).',
  },
]

export const branchBrokerRows: readonly BrokerRow[] = [
  boolean(
    'branch.by.name',
    false,
    'Creating a topic P--x without configurations of its own forks P at its end, for tools that do not know branch.from.',
    { internal: true, ours: true },
  ),
  list('branch.listeners', '', 'Listeners of branch sets: who comes by SET=HOST:PORT has entered the set.', {
    check: checkAddresses,
    internal: true,
    ours: true,
  }),
  list(
    'branch.listeners.ports',
    '',
    'Ports that the command listen may ask for, beside any free one: ports and ranges such as 9200-9299.',
    { check: checkPortRanges, internal: true, ours: true },
  ),
  int('branch.max.depth', 64, 'How many forks may lie between a branch and the topic that it all began with.', {
    min: 1,
    internal: true,
    ours: true,
  }),
  long(
    'branch.max.merge.bytes',
    2 * 1024 ** 3,
    'How many bytes a merge or a revert may write into one partition: they are held in memory until its moment comes.',
    { min: 1, internal: true, ours: true },
  ),
  int('branch.max.per.topic', 1000, 'How many branches may be made of one topic.', {
    min: 0,
    internal: true,
    ours: true,
  }),
]
