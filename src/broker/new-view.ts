// A view on its way: what stands against it beside its values, and what is filled in when it is made. Where `view.at` is a
// time or an offset it is looked up once, for a state of last night must not change with what arrives today.

import { Refusal } from '../../protocol/errors.ts'
import type { NewTopic } from './new-topic.ts'
import type { OwnTopics } from './own-topics.ts'
import type { Partition } from './partition.ts'
import { coordinatorNames } from './set-view.ts'
import { storageRefusal } from './storage-refusal.ts'
import type { Topic } from './topic.ts'
import { usesViewNames, type ViewPoint, viewConfigOf, viewPointOf } from './view-config.ts'

type Topics = { topic(name: string): Topic | undefined }
type Names = Topics & { readonly own: OwnTopics }
type Broker = Topics & { defaultPartitions(name: string): number }
type Wanted = Pick<NewTopic, 'partitions' | 'configs'>

/**
 * The topic of which a view is wanted; undefined where none is wanted or there is no such topic. Its name to the letter: with blanks
 * beside it, it would mean another topic to whoever asks for rights, or stands at the edge of a branch set.
 */
export function sourceOf({ configs }: Pick<NewTopic, 'configs'>, topics: Topics): Topic | undefined {
  const of = configs['view.of']
  return typeof of === 'string' ? topics.topic(of) : undefined
}

/** Takes configurations whose values are good. */
export function refuseView(wanted: Wanted & Pick<NewTopic, 'name'>, topics: Names): Refusal | undefined {
  if (!usesViewNames(wanted.configs)) return undefined
  const ownName = topics.own.checkName(wanted.name)
  if (ownName !== undefined) return ownName
  const refuse = (why: string) => new Refusal('INVALID_CONFIG', why)
  if (wanted.configs['view.offsets'] !== undefined) return refuse('view.offsets is told, not given: say view.at.')
  const of = wanted.configs['view.of']!
  const source = sourceOf(wanted, topics)
  if (source === undefined) return refuse(`view.of=${of}: there is no such topic. Name one that is there.`)
  if (source.config.view !== undefined) {
    return refuse(`view.of=${of}: this is a view itself; make one of '${source.config.view.of}'.`)
  }
  if (coordinatorNames.has(source.name)) return refuse(`view.of=${of}: this is the broker's own topic.`)
  const { where } = viewConfigOf(new Map(Object.entries(wanted.configs as Record<string, string>)))!
  if (where !== undefined && !source.config.pointers.includes(where.pointer)) {
    return refuse(`view.where: '${of}' does not index ${where.pointer}; add it to its revision.index.json first.`)
  }
  const point = pointOf(wanted)
  if (point === undefined) return undefined
  const offsets = offsetsOf(point, source)
  return offsets instanceof Refusal ? offsets : undefined
}

/** What stands against a number of partitions of a view. */
export function refuseViewPartitions({ partitions, configs }: Wanted, topics: Topics): Refusal | undefined {
  const source = sourceOf({ configs }, topics)
  if (source === undefined || partitions === -1 || partitions === source.partitions.length) return undefined
  const { name, partitions: all } = source
  const message = `A view has the partitions of its topic: '${name}' has ${all.length}, ${partitions} are asked for. Ask for ${all.length} or -1.`
  return new Refusal('INVALID_PARTITIONS', message)
}

/** A topic as it is made, its partitions counted; a view with those of its source, and with the place that `view.at` means now. */
export function asMade(topic: NewTopic, broker: Broker): NewTopic {
  const { name, partitions } = topic
  const source = sourceOf(topic, broker)
  if (source === undefined) return partitions === -1 ? { ...topic, partitions: broker.defaultPartitions(name) } : topic
  const point = pointOf(topic)
  const offsets = point && offsetsOf(point, source)
  if (offsets instanceof Refusal) throw new Error(offsets.message)
  const told = offsets === undefined ? {} : { 'view.offsets': offsets.map((offset, i) => `${i}=${offset}`).join(',') }
  return { ...topic, partitions: source.partitions.length, configs: { ...topic.configs, ...told } }
}

function pointOf({ configs }: Pick<NewTopic, 'configs'>): ViewPoint | undefined {
  const at = configs['view.at']
  const point = typeof at === 'string' ? viewPointOf(at) : undefined
  return point === undefined || point instanceof Refusal || point.kind === 'latest' ? undefined : point
}

function offsetsOf(point: ViewPoint, { name, partitions }: Topic): number[] | Refusal {
  if (point.kind === 'offsets') {
    const beyond = [...point.offsets.keys()].find((index) => index >= partitions.length)
    if (beyond !== undefined) {
      const message = `view.at names partition ${beyond}, but '${name}' has the partitions 0 to ${partitions.length - 1}.`
      return new Refusal('INVALID_CONFIG', message)
    }
  }
  try {
    const offsets = partitions.map((partition) => offsetIn(partition, point))
    const wrong = partitions.findIndex(
      ({ logStartOffset, highWatermark }, i) => offsets[i]! < logStartOffset || offsets[i]! > highWatermark,
    )
    if (wrong === -1) return offsets
    const { logStartOffset, highWatermark } = partitions[wrong]!
    const message = `view.at: offset ${offsets[wrong]} of partition ${wrong} of '${name}' is not within ${logStartOffset} to ${highWatermark}.`
    return new Refusal('INVALID_CONFIG', message)
  } catch (cause) {
    return storageRefusal(cause)
  }
}

/** Behind the last record that is shown. */
function offsetIn(partition: Partition, point: ViewPoint): number {
  const end = partition.highWatermark
  switch (point.kind) {
    case 'offset':
      return point.offset
    case 'offsets':
      return point.offsets.get(partition.index) ?? end
    case 'timestamp':
      return partition.log.offsetAt(point.timestamp, end)?.offset ?? end
    default:
      return end
  }
}
