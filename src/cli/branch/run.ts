// Does what `twiglog branch` was told, over Kafka's protocol, and says what came of it: a table for people, JSON for programs,
// and an exit code for both.

import type { BranchEvent } from '../../branch/events.ts'

import { exitCodes, type Terminal, withClient } from '../client/session.ts'
import { BranchClient } from './branch-client.ts'
import { conflictCard, conflictJson, conflictTable, openConflicts } from './conflicts.ts'
import {
  count,
  countsInWords,
  type Difference,
  differenceJson,
  differences,
  differenceTable,
  sharedHistory,
} from './difference.ts'
import { logTable, resultInWords } from './event-words.ts'
import { branchCard, branchTable, gaps, graph, listed } from './listing.ts'
import type { BranchOrder, CommandLine } from './order.ts'
import { shown } from './table.ts'

/** Who asks for one key wants to see its values. */
const wholeValue = 4_000
/** How often somebody who waits is told so. */
const progressMs = 3_000

type Of<V extends BranchOrder['verb']> = Extract<BranchOrder, { verb: V }>

export const runBranch = (order: BranchOrder, terminal: Terminal): Promise<number> =>
  withClient(order.bootstrap, terminal, (client) => new Run(new BranchClient(client), terminal, order.json).run(order))

class Run {
  readonly #branches: BranchClient
  readonly #terminal: Terminal
  readonly #json: boolean

  constructor(branches: BranchClient, terminal: Terminal, json: boolean) {
    this.#branches = branches
    this.#terminal = terminal
    this.#json = json
  }

  run(order: BranchOrder): Promise<number> {
    switch (order.verb) {
      case 'list':
        return this.#list(order)
      case 'show':
        return this.#show(order)
      case 'log':
        return this.#log(order)
      case 'diff':
        return this.#diff(order)
      case 'merge':
        return this.#merge(order)
      case 'conflicts':
        return this.#conflicts(order)
      case 'resolve':
        return this.#resolve(order)
      case 'protect':
        return this.#protect(order)
      case 'command':
        return this.#command(order)
    }
  }

  /** One JSON value a line, or words. */
  #say(values: readonly unknown[], words: () => string): void {
    if (!this.#json) this.#terminal.out(words())
    else for (const value of values) this.#terminal.out(JSON.stringify(value))
  }

  async #list({ graph: asTree }: Of<'list'>): Promise<number> {
    const branches = await this.#branches.branches()
    this.#say(branches.map(listed), () => (asTree && branches.length > 0 ? graph(branches) : branchTable(branches)))
    return exitCodes.done
  }

  async #show({ name }: Of<'show'>): Promise<number> {
    const branch = await this.#branches.branch(name)
    if (branch === undefined) return this.#noBranch(name)
    const found = await gaps(this.#branches, branch)
    this.#say([{ ...listed(branch), partitions: found }], () => branchCard(branch, found))
    return exitCodes.done
  }

  #noBranch(name: string): number {
    this.#terminal.err(`'${name}' is no branch.`)
    return exitCodes.refused
  }

  async #log({ name, limit }: Of<'log'>): Promise<number> {
    const events: BranchEvent[] = []
    const isAbout = ({ set, topics = [] }: BranchEvent) =>
      name === undefined || set === name || topics.some(({ from, into }) => from === name || into === name)
    for await (const event of this.#branches.history()) {
      if (!isAbout(event)) continue
      events.push(event)
      if (events.length > limit) events.shift()
    }
    this.#say(events, () => (events.length === 0 ? 'Nothing has happened yet.' : logTable(events)))
    return exitCodes.done
  }

  async #diff({ name, other, stat, key }: Of<'diff'>): Promise<number> {
    const { client } = this.#branches
    const all = await this.#branches.branches()
    const ours = await client.topic(name)
    const parent = all.find(({ id }) => id === ours.id)
    if (other === undefined && parent === undefined) return this.#noBranch(name)
    const theirs = await client.topic(other ?? parent!.from)
    const since = sharedHistory(ours, theirs, all)
    if (since === undefined) {
      this.#terminal.err(`'${ours.name}' and '${theirs.name}' do not come from one topic: there is nothing to compare.`)
      return exitCodes.refused
    }
    const found: Difference[] = []
    for await (const one of differences(client, ours, theirs, since, key)) found.push(one)
    if (stat) {
      const counts = count(found)
      this.#say([counts], () => countsInWords(counts, ours.name, theirs.name))
    } else {
      this.#say(found.map(differenceJson), () =>
        found.length === 0
          ? 'There is no difference.'
          : differenceTable(found, ours.name, theirs.name, key === undefined ? undefined : wholeValue),
      )
    }
    return exitCodes.done
  }

  async #merge({ command: given, plan, yes }: Of<'merge'>): Promise<number> {
    const command = await this.#paired(given)
    if (command === undefined) return this.#noBranch(String(given['from']))
    const { id: _, ...unnamed } = command
    if (plan || (!yes && this.#terminal.isTerminal)) {
      const event = await this.#ask({ ...unnamed, op: 'plan' })
      const code = this.#tell(event)
      if (code !== exitCodes.refused && !this.#json) await this.#hint(command, event)
      if (plan || code === exitCodes.refused) return code
      if (!(await this.#terminal.confirm('Merge?'))) return exitCodes.refused
    }
    return this.#tell(await this.#ask(command))
  }

  /** Keys are not compared where a topic is not compacted, unless somebody asks for it: that may be a surprise. */
  async #hint({ into, strategy }: CommandLine, { keys }: BranchEvent): Promise<void> {
    const hasKeys = Array.isArray(keys) && keys.some((one: { key?: unknown }) => typeof one.key === 'string')
    if (typeof into !== 'string' || strategy !== undefined || !hasKeys) return
    const configs = (await this.#branches.client.configs([into])).get(into)
    if (configs?.get('cleanup.policy')?.includes('compact') || configs?.get('revision.diff') === 'true') return
    this.#terminal.out(
      `${into} is not compacted and keeps no revisions, so records are appended as they are; --strategy three-way compares keys.`,
    )
  }

  /** Where nobody says into what, it is the parent. */
  async #paired(command: CommandLine): Promise<CommandLine | undefined> {
    const { from, into } = command
    if (typeof from !== 'string' || into !== undefined) return command
    const branch = await this.#branches.branch(from)
    return branch === undefined ? undefined : { ...command, into: branch.from }
  }

  async #conflicts({ merge, key }: Of<'conflicts'>): Promise<number> {
    const found = await openConflicts(this.#branches.client, merge, key)
    if (key !== undefined && found.length === 0) return this.#noConflict(key)
    const words = () => (key === undefined ? conflictTable(found) : found.map(conflictCard).join('\n\n'))
    this.#say(found.map(conflictJson), words)
    return exitCodes.done
  }

  #noConflict(key: Buffer): number {
    this.#terminal.err(
      `Nothing is in conflict under the key '${shown(key)}'. twiglog branch conflicts list shows what is.`,
    )
    return exitCodes.refused
  }

  async #resolve({ key, merge, topic, how }: Of<'resolve'>): Promise<number> {
    const all = await openConflicts(this.#branches.client, merge, key)
    const found = all.filter((one) => topic === undefined || one.topic === topic)
    const [conflict, ...others] = found
    if (conflict === undefined) return this.#noConflict(key)
    if (others.length > 0) {
      this.#terminal.err(
        `The key '${shown(key)}' is in conflict more than once; say which with --merge or --topic.\n${conflictTable(found)}`,
      )
      return exitCodes.refused
    }
    const { partition, intoId } = conflict
    const keyBase64 = conflict.key.toString('base64')
    const topics = await this.#branches.client.topics()
    const named = [...topics.values()].find(({ id }) => id === intoId)?.name ?? conflict.topic
    const command = { op: 'resolve', merge: conflict.merge, topic: named, partition, keyBase64, ...how }
    return this.#tell(await this.#ask(command))
  }

  async #protect({ name, as }: Of<'protect'>): Promise<number> {
    await this.#branches.client.alter(name, { 'branch.protect': as })
    const words = {
      none: 'Anybody who may write to it can.',
      merge: 'Only merges, reverts and resolutions write to it now.',
      frozen: 'Nobody writes to it now, and nobody deletes it.',
    }[as]
    this.#say([{ topic: name, protect: as }], () => words ?? as)
    return exitCodes.done
  }

  async #command({ command, question, yes }: Of<'command'>): Promise<number> {
    if (question !== undefined && yes !== true && this.#terminal.isTerminal) {
      if (!(await this.#terminal.confirm(question))) return exitCodes.refused
    }
    return this.#tell(await this.#ask(command))
  }

  /** At a terminal a long one is heard of. */
  async #ask(command: CommandLine): Promise<BranchEvent> {
    const begin = performance.now()
    const tell = () => this.#terminal.err(`${command.op}: ${Math.round((performance.now() - begin) / 1000)} s …`)
    const timer = this.#terminal.isTerminal ? setInterval(tell, progressMs) : undefined
    try {
      return await this.#branches.command(command)
    } finally {
      clearInterval(timer)
    }
  }

  #tell(event: BranchEvent): number {
    const isRefused = event.status === 'rejected'
    if (this.#json) this.#terminal.out(JSON.stringify(event))
    else if (isRefused) this.#terminal.err(resultInWords(event))
    else this.#terminal.out(resultInWords(event))
    if (isRefused) return exitCodes.refused
    return event.status === 'conflicts' ? exitCodes.conflicts : exitCodes.done
  }
}
