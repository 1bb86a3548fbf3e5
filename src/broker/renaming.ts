// Topics that take each other's names: in one turn, with a new leader epoch each, so that clients that know what was
// behind a name look again.

import { isDeepStrictEqual } from 'node:util'
import type { LineageRecord } from '../branch/lineage.ts'
import type { Leaderships } from './leaderships.ts'
import type { MetadataLog, MetadataRecord } from './metadata-log.ts'
import type { Topic } from './topic.ts'
import type { Views } from './views.ts'

export type Renaming = {
  readonly topic: Topic
  readonly name: string
  /** The topic that has the name, or had the one before: the new epochs lie above its own. */
  readonly other?: Topic
  /** Its overrides from then on; absent: they stay as they are. */
  readonly configs?: Readonly<Record<string, string>>
}

type Rooms = {
  metadata: MetadataLog
  leaderships: Leaderships
  byName: Map<string, Topic>
  views: Views
  now: number
}

/** All or none, together with what else becomes true by it. Resolves when it is durable. Rejects with StorageError. */
export async function renameTopics(
  renamings: readonly Renaming[],
  because: readonly LineageRecord[],
  { metadata, leaderships, byName, views, now }: Rooms,
): Promise<void> {
  const renewed = renamings.map(({ topic, other }) => leaderships.renewed(topic, other))
  const renamed = renamings.map(({ topic, name }) => {
    const ends = topic.partitions.map(({ logEndOffset }) => logEndOffset)
    return { v: 1, type: 'topic-renamed', id: topic.id, name, ends } satisfies MetadataRecord
  })
  const moved = views.renamed(renamings)
  const configured = renamings.filter(
    ({ topic, configs }) => configs !== undefined && !isDeepStrictEqual(configs, topic.config.overrides()),
  )
  const durable = metadata.commit([
    ...renamed,
    ...configured.map(
      ({ name, configs = {} }): MetadataRecord => ({ v: 1, type: 'config', of: 'topic', name, configs }),
    ),
    ...moved.records,
    ...renewed.map(({ record }) => record),
    ...because,
  ])
  for (const { topic } of renamings) byName.delete(topic.name)
  renamings.forEach(({ topic, name }, i) => {
    topic.rename(name, now, renamed[i]!.ends)
    byName.set(name, topic)
  })
  for (const { topic, configs = {} } of configured) topic.configure(configs)
  moved.done()
  await durable
  for (const { lead } of renewed) lead()
}
