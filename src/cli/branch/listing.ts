// `branch list`, `branch list --graph` and `branch show`.

import type { Bounds } from '../client/kafka-client.ts'
import type { BranchClient, SeenBranch } from './branch-client.ts'
import { bytesInWords, table, timeInWords } from './table.ts'

export type Listed = Omit<SeenBranch, 'topic' | 'offsets'> & { readonly offsets: Readonly<Record<string, number>> }

export const listed = ({ topic: _, offsets, ...rest }: SeenBranch): Listed => ({
  ...rest,
  offsets: Object.fromEntries(offsets),
})

const pointOf = ({ offsets }: SeenBranch): string => [...offsets].map(([p, offset]) => `${p}=${offset}`).join(' ')

export function branchTable(branches: readonly SeenBranch[]): string {
  if (branches.length === 0) return 'There is no branch yet. Make one: twiglog branch create TOPIC NAME'
  const columns = [
    { title: 'BRANCH' },
    { title: 'OF' },
    { title: 'CUT AT' },
    { title: 'SET' },
    { title: 'OWN', right: true },
    { title: 'SHARED', right: true },
    { title: 'PROTECT' },
    { title: 'MADE (UTC)' },
  ]
  const rows = branches.map((branch) => [
    branch.name,
    branch.from,
    pointOf(branch),
    branch.set ?? '',
    bytesInWords(branch.ownBytes),
    bytesInWords(branch.sharedBytes),
    branch.protect === 'none' ? '' : branch.protect,
    timeInWords(branch.createdMs),
  ])
  return table(columns, rows)
}

/** Under the topics they come from; those whose parent is gone stand by themselves. */
export function graph(branches: readonly SeenBranch[]): string {
  const ids = new Set(branches.map(({ id }) => id))
  const children = new Map<string, SeenBranch[]>()
  for (const branch of branches) children.set(branch.fromId, [...(children.get(branch.fromId) ?? []), branch])
  const lines: string[] = []
  const grow = (fromId: string, stem: string) => {
    const here = children.get(fromId) ?? []
    for (const [i, branch] of here.entries()) {
      const isLast = i === here.length - 1
      const set = branch.set === undefined ? '' : `  [${branch.set}]`
      lines.push(`${stem}${isLast ? '└─' : '├─'} ${branch.name} @ ${pointOf(branch)}${set}`)
      grow(branch.id, `${stem}${isLast ? '   ' : '│  '}`)
    }
  }
  for (const [fromId, [first]] of children) {
    if (ids.has(fromId)) continue
    lines.push(first!.from)
    grow(fromId, '')
  }
  return lines.join('\n')
}

export type PartitionGap = {
  readonly partition: number
  /** First own offset. */
  readonly forkedAt: number
  readonly end: number
  /** Offsets that the branch, and its parent, have gone on since; null where the parent is gone. */
  readonly ahead: number
  readonly behind: number | null
}

/** How far a branch and its parent have gone since the fork. */
export async function gaps({ client }: BranchClient, branch: SeenBranch): Promise<PartitionGap[]> {
  const parent = (await client.topics([branch.from])).get(branch.from)
  const own = await client.bounds(branch.topic)
  const its = parent?.id === branch.fromId ? await client.bounds(parent) : new Map<number, Bounds>()
  return [...own].map(([partition, { end }]) => {
    const forkedAt = branch.offsets.get(partition) ?? 0
    const parentEnd = its.get(partition)?.end
    return {
      partition,
      forkedAt,
      end,
      ahead: end - forkedAt,
      behind: parentEnd === undefined ? null : parentEnd - forkedAt,
    }
  })
}

export function branchCard(branch: SeenBranch, found: readonly PartitionGap[]): string {
  const facts: [string, string][] = [
    ['Branch', branch.name],
    ['Of', found.some(({ behind }) => behind === null) ? `${branch.from} (which is gone)` : branch.from],
    ['Made', `${timeInWords(branch.createdMs)} UTC`],
    ...(branch.set === undefined ? [] : [['Set', branch.set] as [string, string]]),
    ['Own bytes', bytesInWords(branch.ownBytes)],
    ['Shared', bytesInWords(branch.sharedBytes)],
    ['Protect', branch.protect],
    ['Lives', branch.ttlMs < 0 ? 'until it is deleted' : `${branch.ttlMs} ms after its last use`],
  ]
  const columns = ['PARTITION', 'CUT AT', 'END', 'AHEAD', 'BEHIND'].map((title) => ({ title, right: true }))
  const rows = found.map(({ partition, forkedAt, end, ahead, behind }) =>
    [partition, forkedAt, end, ahead, behind ?? '-'].map(String),
  )
  return `${facts.map(([title, text]) => `${title.padEnd(10)} ${text}`).join('\n')}\n\n${table(columns, rows)}`
}
