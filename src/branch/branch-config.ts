// The names under which branches are known to CreateTopics, DescribeConfigs and AlterConfigs, and what each may say.

import { Refusal } from '../../protocol/errors.ts'
import { type GroupRule, groupRules } from './lineage.ts'

/** Say how a branch is made; afterwards they are history. */
const atBirth = ['branch.from', 'branch.at', 'branch.set', 'branch.groups'] as const
/** Told by DescribeConfigs, never given. */
const told = [
  'branch.from.id',
  'branch.offsets',
  'branch.created.ms',
  'branch.known',
  'branch.bytes.own',
  'branch.bytes.shared',
] as const
export const protections = ['none', 'merge', 'frozen'] as const
export type Protection = (typeof protections)[number]

export const isHistory = (name: string): boolean => ([...atBirth, ...told] as string[]).includes(name)

/** What may be written into a set's label. */
export function checkSetLabel(label: string): Refusal | undefined {
  const isGood = /^[A-Za-z0-9._-]{1,64}$/.test(label) && !label.includes('--') && !/^-|-$/.test(label)
  if (isGood) return undefined
  const rule = 'a label has 1 to 64 of the letters A-Z a-z 0-9 . _ -, no two hyphens in a row and none at either end'
  return new Refusal('INVALID_CONFIG', `branch.set=${label} is not allowed: ${rule}.`)
}

export type BranchConfigs = {
  readonly from: string | undefined
  readonly at: string
  readonly set: string | undefined
  readonly groups: GroupRule | undefined
  /** All that is not about the fork itself. */
  readonly rest: Record<string, string | null>
}

/** Takes the configurations of a new topic apart. A name that is told, a bad value, or an orphan of `branch.from` is refused. */
export function splitConfigs(configs: Readonly<Record<string, string | null>>): BranchConfigs | Refusal {
  const rest: Record<string, string | null> = {}
  const given = new Map<string, string>()
  for (const [name, value] of Object.entries(configs)) {
    if ((told as readonly string[]).includes(name)) return refuseHistory(name)
    if (!(atBirth as readonly string[]).includes(name)) rest[name] = value
    else if (value === null) return new Refusal('INVALID_CONFIG', `Null value not supported for topic configs: ${name}`)
    else given.set(name, value)
  }
  const from = given.get('branch.from')
  const [orphan] = given.keys()
  if (from === undefined && orphan !== undefined) {
    return new Refusal('INVALID_CONFIG', `${orphan} is about a branch: say with branch.from which topic it is made of.`)
  }
  if (from === undefined && rest['branch.ttl.ms'] !== undefined) return refuseTtl()
  const groups = given.get('branch.groups')
  if (groups !== undefined && !(groupRules as readonly string[]).includes(groups)) {
    return new Refusal('INVALID_CONFIG', `branch.groups=${groups} is unknown; it is one of ${groupRules.join(', ')}.`)
  }
  const set = given.get('branch.set')
  const badSet = set === undefined ? undefined : checkSetLabel(set)
  if (badSet !== undefined) return badSet
  return { from, at: given.get('branch.at') ?? 'latest', set, groups: groups as GroupRule | undefined, rest }
}

export const refuseHistory = (name: string): Refusal =>
  new Refusal(
    'INVALID_CONFIG',
    `${name} tells how a branch was made and cannot be set; of a branch only branch.ttl.ms and branch.protect can.`,
  )

/** The same where a command gives it beside its own words for it. */
export const refuseInConfigs = (name: string): Refusal =>
  (told as readonly string[]).includes(name)
    ? refuseHistory(name)
    : new Refusal(
        'INVALID_CONFIG',
        `${name} is not one of the configs of a command: it says 'from', 'at', 'set' and 'groups' itself.`,
      )

export const refuseTtl = (): Refusal =>
  new Refusal(
    'INVALID_CONFIG',
    'branch.ttl.ms is for branches; this topic is none, and is deleted by DeleteTopics only.',
  )
