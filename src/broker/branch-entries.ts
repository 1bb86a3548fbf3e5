// How a topic's branch is told by DescribeConfigs: computed from the lineage at each question; a topic that is none and
// uses none of the names tells nothing.

import type { Branch, Lineage } from '../branch/lineage.ts'
import type { Inherited } from '../log/inherited.ts'
import type { Segment } from '../log/segment.ts'
import { branchTopicRows } from './branch-config-rows.ts'
import type { Broker } from './broker.ts'
import { type ConfigEntry, configEntry, type DescribeRequest, wants } from './config-entry.ts'
import type { ConfigRow } from './config-table.ts'
import { configSources } from './config-table.ts'
import type { Partition } from './partition.ts'
import { storageRefusal } from './storage-refusal.ts'
import type { Topic } from './topic.ts'

const row = (name: string, type: ConfigRow['type'], doc: string): ConfigRow => ({
  name,
  type,
  default: null,
  effect: false,
  doc,
})

const rows = {
  from: row(
    'branch.from',
    'string',
    'The topic that this one was forked from: its name, or what that was if it is gone.',
  ),
  fromId: row('branch.from.id', 'string', 'The id of that topic.'),
  offsets: row('branch.offsets', 'string', 'The fork point: the first own offset of each partition, as 0=N,1=M.'),
  createdMs: row('branch.created.ms', 'long', 'When the fork was made, ms since 1970.'),
  set: row('branch.set', 'string', 'The set that the branch belongs to.'),
  groups: row('branch.groups', 'string', "What became of the parent's groups."),
  known: row(
    'branch.known',
    'string',
    'Up to where each partition knows other topics: 0=<topic id>:N;<topic id>:M,1=…',
  ),
  own: row('branch.bytes.own', 'long', 'Bytes of records that only this branch has.'),
  shared: row('branch.bytes.shared', 'long', 'Bytes of records that it shows and shares with its parent.'),
}

export function branchEntries(
  topic: Topic,
  broker: Pick<Broker, 'lineage' | 'topicById'>,
  request: DescribeRequest,
  isNew = false,
): ConfigEntry[] {
  const branch = broker.lineage.branches.get(topic.id)
  if (branch === undefined) return []
  const told = [...valuesOf(topic, branch, broker, isNew)].filter(([{ name }]) => wants(request, name))
  const entries = told.map(([of, value]) => {
    const synonyms = [{ name: of.name, value, source: configSources.topic }]
    return configEntry(of, { name: of.name, value, readOnly: true, synonyms }, request)
  })
  const overrides = topic.config.overrides()
  const defaults = branchTopicRows.filter(({ name }) => overrides[name] === undefined && wants(request, name))
  return [
    ...entries,
    ...defaults.map((of) =>
      configEntry(of, { name: of.name, value: of.default, readOnly: false, synonyms: [] }, request),
    ),
  ]
}

function* valuesOf(
  topic: Topic,
  branch: Branch,
  broker: Pick<Broker, 'lineage' | 'topicById'>,
  isNew: boolean,
): Generator<[ConfigRow, string]> {
  const { lineage } = broker
  const { own, shared } = bytesOf(topic, lineage, isNew)
  yield [rows.from, broker.topicById(branch.fromId)?.name ?? branch.from]
  yield [rows.fromId, branch.fromId]
  yield [rows.offsets, branch.partitions.map(({ offset }, i) => `${i}=${offset}`).join(',')]
  yield [rows.createdMs, String(branch.at)]
  const membership = lineage.membership(topic.id)
  if (membership !== undefined) yield [rows.set, membership.set]
  yield [rows.groups, branch.groups]
  yield [rows.known, branch.partitions.map((_, i) => `${i}=${knownOf(lineage, topic.id, i)}`).join(',')]
  yield [rows.own, String(own)]
  yield [rows.shared, String(shared)]
}

const knownOf = (lineage: Lineage, id: string, partition: number): string =>
  Object.entries(lineage.known(id, partition))
    .map(([other, offset]) => `${other}:${offset}`)
    .join(';')

function bytesOf({ id, partitions }: Topic, lineage: Lineage, isNew: boolean): { own: number; shared: number } {
  let own = 0
  let shared = 0
  for (const [i, partition] of partitions.entries()) {
    // Since a fast-forward it may be more than at the fork.
    const bytes = bytesIn(partition, lineage.inheritedOf(id, i), isNew)
    own += bytes[0]
    shared += bytes[1]
  }
  return { own, shared }
}

/**
 * A branch that nobody has used is not opened for it; of one that was made just now its folder is not asked either. Of what cannot be
 * read nobody knows.
 */
function bytesIn(
  partition: Partition,
  inherited: Inherited | undefined,
  isNew: boolean,
): readonly [own: number, shared: number] {
  try {
    if (inherited === undefined) return [partition.byteCount, 0]
    if (!partition.isOpen && !(isNew ? beganWithOwn(inherited) : partition.hasOwnFiles)) {
      return [0, inherited.files.reduce((sum, [, byteCount]) => sum + byteCount, 0)]
    }
    const sum = (segments: readonly Segment[]) => segments.reduce((all, { storedBytes }) => all + storedBytes, 0)
    const { segments } = partition.log
    return [sum(segments.filter(({ isShared }) => !isShared)), sum(segments.filter(({ isShared }) => isShared))]
  } catch (cause) {
    storageRefusal(cause)
    return [0, 0]
  }
}

/** The cut went through a batch, or through a transaction. */
const beganWithOwn = ({ ownFrom, offset, open }: Inherited): boolean => ownFrom < offset || open.length > 0
