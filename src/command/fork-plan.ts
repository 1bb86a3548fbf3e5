// Judges a fork before anything is done: every topic of it, and where exactly each partition will be cut. What stands
// against one stands against the whole cut.

import { type ErrorName, Refusal } from '../../protocol/errors.ts'
import { checkSetLabel, isHistory, refuseInConfigs } from '../branch/branch-config.ts'
import { type ForkPoint, parseForkPoint } from '../branch/fork-point.ts'
import type { GroupRule } from '../branch/lineage.ts'
import type { Broker } from '../broker/broker.ts'
import { withoutNulls } from '../broker/config-alter.ts'
import type { Partition } from '../broker/partition.ts'
import type { Topic } from '../broker/topic.ts'
import { usesViewNames } from '../broker/view-config.ts'
import type { Groups } from '../group/coordinator.ts'
import { diskRefusal } from './disk-refusal.ts'
import type { ForkRequest, ForkTopic } from './fork-request.ts'
import { wentMeanwhile } from './not-there.ts'

/** A fork of one topic that nothing stands against. */
export type PlannedFork = {
  readonly asked: ForkTopic
  readonly parent: Topic
  /** The branch that it takes the place of. */
  readonly replaced?: Topic
  readonly groups: GroupRule
  /** The first offset that will be the branch's own, by partition; undefined: the end at the moment of the cut. */
  readonly offsets: readonly (number | undefined)[]
  readonly configs: Record<string, string>
  readonly inside: string | undefined
}

/** Refusals by the name of the branch. */
export type ForkRefusals = ReadonlyMap<string, Refusal>

export type ForkPlan = { readonly planned: readonly PlannedFork[]; readonly refusals: ForkRefusals }

export function planFork(request: ForkRequest, broker: Broker, groups: Groups): ForkPlan {
  const planned: PlannedFork[] = []
  const refusals = new Map<string, Refusal>()
  const badSet = request.set === undefined ? undefined : checkSetLabel(request.set)
  const names = new Set<string>()
  for (const asked of request.topics) {
    const twice = names.has(asked.to)
      ? new Refusal('INVALID_REQUEST', `'${asked.to}' is asked for twice. Give each branch a name of its own.`)
      : undefined
    names.add(asked.to)
    const plan =
      badSet ??
      twice ??
      (request.isReset ? planReset(asked, broker, groups) : planTopic(asked, request, broker, groups, planned))
    if (plan instanceof Refusal) refusals.set(asked.to, plan)
    else planned.push(plan)
  }
  return { planned, refusals }
}

function planTopic(
  asked: ForkTopic,
  { set }: ForkRequest,
  broker: Broker,
  groups: Groups,
  before: readonly PlannedFork[],
): PlannedFork | Refusal {
  const { from, to, partitions = -1 } = asked
  const parent = broker.topic(from)
  const badName = broker.checkTopicName(to) ?? broker.own.checkName(to)
  if (badName !== undefined) return badName
  // Not a code that clients try again: an administrator would wait for a topic that never comes.
  if (parent === undefined)
    return new Refusal('INVALID_CONFIG', `branch.from=${from}: there is no such topic. Name one that is there.`)
  if (parent.isInternal) {
    return new Refusal(
      'INVALID_CONFIG',
      `branch.from=${from}: this is the broker's own topic; it cannot be forked. Name one of yours.`,
    )
  }
  const history = Object.keys(asked.configs ?? {}).find(isHistory)
  if (history !== undefined) return refuseInConfigs(history)
  const view = refuseViews(parent, asked)
  if (view !== undefined) return view
  const configs = { ...inheritedConfigs(parent), ...withoutNulls(asked.configs ?? {}) }
  const refusal =
    broker.checkNewTopic({ name: to, partitions: -1, configs: { ...configs, ...nullsOf(asked.configs ?? {}) } }) ??
    checkCount(parent, partitions, asked) ??
    checkLimits(parent, broker, before)
  if (refusal?.error === 'TOPIC_ALREADY_EXISTS')
    return new Refusal(refusal.error, `${refusal.message} Take another name, or delete that one first.`)
  if (refusal !== undefined) return refusal
  const inside = set === undefined ? undefined : (asked.inside ?? broker.lineage.membership(parent.id)?.inside ?? from)
  const taken = set === undefined ? undefined : checkInside(set, inside!, broker, before)
  if (taken !== undefined) return taken
  const point = parseForkPoint(asked.at ?? 'latest')
  if (point instanceof Refusal) return point
  const offsets = offsetsOf(point, parent, groups)
  if (offsets instanceof Refusal) return offsets
  const { groups: rule = 'none' } = asked
  const unknown = refuseUnknownCommits(rule, 'Fork with branch.groups=none', groups)
  return unknown ?? { asked, parent, groups: rule, offsets, configs, inside }
}

function refuseViews({ name, config: { view } }: Topic, { configs = {} }: ForkTopic): Refusal | undefined {
  if (view !== undefined) {
    const message = `branch.from=${name}: this is a view and has no records of its own; fork '${view.of}', and make a view of the branch.`
    return new Refusal('INVALID_TOPIC_EXCEPTION', message)
  }
  if (!usesViewNames(configs)) return undefined
  return new Refusal(
    'INVALID_CONFIG',
    'A topic is a branch or a view: leave out branch.from, or what begins with view.',
  )
}

/** The branch as it is, from another fork point. It was one, and its parent there, when room was made for this. */
function planReset(asked: ForkTopic, broker: Broker, groups: Groups): PlannedFork | Refusal {
  const parent = broker.topic(asked.from)
  const replaced = broker.topic(asked.to)
  const branch = broker.lineage.branches.get(replaced?.id ?? '')
  if (replaced === undefined || branch === undefined) return goneOfReset(asked.to)
  if (parent === undefined) return goneOfReset(asked.from)
  const point = parseForkPoint(asked.at ?? 'latest')
  const offsets = point instanceof Refusal ? point : offsetsOf(point, parent, groups)
  if (offsets instanceof Refusal) return offsets
  const unknown = refuseUnknownCommits(branch.groups, 'Fork anew, with branch.groups=none,', groups)
  if (unknown !== undefined) return unknown
  const inside = broker.lineage.membership(replaced.id)?.inside
  return { asked, parent, replaced, groups: branch.groups, offsets, configs: replaced.config.overrides(), inside }
}

const goneOfReset = (name: string): Refusal => new Refusal('UNKNOWN_TOPIC_OR_PARTITION', wentMeanwhile(name))

/** What was planned of topics that have gone since, or of ones of which others bear the name by now. */
export function refuseGone(planned: readonly PlannedFork[], broker: Broker): Refusal | undefined {
  for (const { parent, replaced } of planned) {
    const gone = [parent, ...(replaced === undefined ? [] : [replaced])].find(
      ({ id }) => broker.topicById(id) === undefined,
    )
    if (gone === undefined) continue
    if (replaced !== undefined) return goneOfReset(gone.name)
    return new Refusal('INVALID_CONFIG', `branch.from=${gone.name}: ${wentMeanwhile(gone.name)}`)
  }
  return undefined
}

/** What says how a topic lives as a branch is its own. */
const inheritedConfigs = ({ config }: Topic): Record<string, string> =>
  Object.fromEntries(Object.entries(config.overrides()).filter(([name]) => !name.startsWith('branch.')))

const nullsOf = (configs: Readonly<Record<string, string | null>>) =>
  Object.fromEntries(Object.entries(configs).filter(([, value]) => value === null))

function checkCount(parent: Topic, partitions: number, { replicas }: ForkTopic): Refusal | undefined {
  const wanted = replicas?.length ?? partitions
  const { length: count } = parent.partitions
  if (wanted === -1 || wanted === count) return undefined
  const message = `A branch has the partitions of its parent: '${parent.name}' has ${count}, ${wanted} are asked for. Ask for ${count} or -1.`
  return new Refusal('INVALID_PARTITIONS', message)
}

function checkLimits(parent: Topic, broker: Broker, before: readonly PlannedFork[]): Refusal | undefined {
  const depthMax = broker.config.number('branch.max.depth')
  const depth = broker.lineage.depth(parent.id) + 1
  if (depth > depthMax) {
    const message = `'${parent.name}' is ${depth - 1} forks deep already, and branch.max.depth is ${depthMax}. Fork one of its ancestors, or raise the option.`
    return new Refusal('POLICY_VIOLATION', message)
  }
  const childrenMax = broker.config.number('branch.max.per.topic')
  const siblings = before.filter((other) => other.parent === parent).length
  const children = broker.lineage.childCount(parent.id) + siblings
  if (children < childrenMax) return undefined
  const message = `'${parent.name}' has ${children} branches already, and branch.max.per.topic is ${childrenMax}. Delete some, or raise the option.`
  return new Refusal('POLICY_VIOLATION', message)
}

function checkInside(
  set: string,
  inside: string,
  { lineage }: Broker,
  before: readonly PlannedFork[],
): Refusal | undefined {
  const isTaken = lineage.sets.get(set)?.members.has(inside) || before.some((other) => other.inside === inside)
  if (!isTaken) return undefined
  const message = `branch.set=${set} has a member already that is called '${inside}' in there. Take another label, or abandon that one.`
  return new Refusal('TOPIC_ALREADY_EXISTS', message)
}

function offsetsOf(point: ForkPoint, parent: Topic, groups: Groups): (number | undefined)[] | Refusal {
  const { partitions, name } = parent
  if (point.kind === 'offsets') {
    const beyond = [...point.offsets.keys()].find((index) => index >= partitions.length)
    if (beyond !== undefined) {
      const message = `branch.at names partition ${beyond}, but '${name}' has the partitions 0 to ${partitions.length - 1}.`
      return new Refusal('INVALID_CONFIG', message)
    }
  }
  try {
    const committed = point.kind === 'group' ? committedOf(point.group, parent, groups) : undefined
    if (committed instanceof Refusal) return committed
    const offsets = partitions.map((partition) => offsetIn(partition, point, committed))
    const wrong = offsets.findIndex((offset, i) => offset !== undefined && !isWithin(partitions[i]!, offset))
    if (wrong === -1) return offsets
    const { logStartOffset, logEndOffset } = partitions[wrong]!
    const whose =
      point.kind === 'group' ? ` '${point.group}' has committed it: have it commit another, or give offsets:.` : ''
    const message = `branch.at: offset ${offsets[wrong]} of partition ${wrong} of '${name}' is not within ${logStartOffset} to ${logEndOffset}.${whose}`
    return new Refusal('INVALID_CONFIG', message)
  } catch (cause) {
    return diskRefusal(cause)
  }
}

const isWithin = ({ logStartOffset, logEndOffset }: Partition, offset: number): boolean =>
  offset >= logStartOffset && offset <= logEndOffset

function offsetIn(
  partition: Partition,
  point: ForkPoint,
  committed: ReadonlyMap<number, number> | undefined,
): number | undefined {
  switch (point.kind) {
    case 'earliest':
      return partition.logStartOffset
    case 'offset':
      return point.offset
    case 'offsets':
      return point.offsets.get(partition.index)
    case 'timestamp':
      // As ListOffsets answers it; where that says none, the end.
      return partition.log.offsetAt(point.timestamp, partition.highWatermark)?.offset
    case 'group':
      return committed!.get(partition.index) ?? partition.logStartOffset
    default:
      // Known when it happens; a partition that cannot be read is better known now.
      void partition.log
      return undefined
  }
}

function committedOf(groupId: string, { name, id, partitions }: Topic, groups: Groups): Map<number, number> | Refusal {
  const wanted = partitions.map(({ index }) => ({ topic: name, partition: index, topicId: id }))
  const fetched = groups.offsets.fetch({ groupId, wanted, requireStable: false })
  if (typeof fetched === 'string') {
    const message = `branch.at=group:${groupId}: ${whyUnknown(fetched, 'Give offsets:0=N,1=M')}`
    return new Refusal(fetched, message)
  }
  const found = fetched.flatMap(({ partition, committed }) =>
    committed === undefined ? [] : [[partition, committed.offset] as const],
  )
  return new Map(found)
}

/** Whoever goes on with the branch would begin anywhere: a commit that cannot be read is not one that is not there. */
function refuseUnknownCommits(rule: GroupRule, instead: string, groups: Groups): Refusal | undefined {
  const closed = rule === 'none' ? 'NONE' : groups.offsets.gateOfAll
  return closed === 'NONE' ? undefined : new Refusal(closed, `branch.groups=${rule}: ${whyUnknown(closed, instead)}`)
}

const whyUnknown = (closed: ErrorName, instead: string): string =>
  closed === 'COORDINATOR_LOAD_IN_PROGRESS'
    ? 'What groups have committed is still being read. Ask again in a moment.'
    : `What is committed cannot be read, for a partition of '__consumer_offsets' is damaged. ${instead}, or restore it: 'twiglog check' on the data folder, with the broker stopped, names the file.`
