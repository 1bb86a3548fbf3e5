// The words of `twiglog branch`: what may be said, and the order that it means.

import { Command, InvalidArgumentError, Option } from 'commander'
import { groupRules } from '../../branch/lineage.ts'
import { mergeWords } from './merge-words.ts'
import { BranchMisuse, keyOf, pointOf, which } from './misuse.ts'
import type { BranchOrder, CommandLine, Verb } from './order.ts'

type Give = (order: BranchOrder) => void
type Values = Readonly<Record<string, unknown>>

const examples = `
Where a topic may be cut: orders (its end), orders@120, orders@0=5,1=7, orders@earliest,
orders@2026-11-21T10:00:00Z, orders@group:billing

Examples:
  twiglog branch create orders orders--try       a branch of orders, in milliseconds
  twiglog branch create --all --set pr-7         every topic at one instant
  twiglog branch diff orders--try --stat         what differs from its parent
  twiglog branch merge orders--try --plan        what a merge would write, and what is in conflict
  twiglog branch merge orders--try               the merge; twiglog branch revert --merge ID takes it back
  twiglog branch delete orders--try

Exit codes: 0 done, 1 refused, 2 not understood, 4 conflicts, 5 no broker answers.
`

export function branchCommand(give: Give): Command {
  const root = new Command('branch')
    .description('fork topics, look at branches, merge them, and let them go')
    .addHelpText('after', examples)
  const verb = (words: string, description: string, under = root, options = { isDefault: false }) => {
    const command = under.command(words, options).description(description)
    return command
      .option('--bootstrap <servers>', 'host:port of a broker', '127.0.0.1:9092')
      .option('--json', 'JSON, one value a line, instead of a table')
  }
  /** What a verb's words and options mean. */
  const means =
    (read: (values: Values, ...words: (string | undefined)[]) => Verb) =>
    (...given: unknown[]) => {
      const command = given.at(-1) as Command
      const values = command.opts<Values>()
      const words = command.processedArgs as (string | undefined)[]
      give({ bootstrap: String(values['bootstrap']), json: values['json'] === true, ...read(values, ...words) })
    }
  create(verb).action(means(createOrder))
  verb('list', 'all branches')
    .option('--graph', 'as a tree, under the topics they come from')
    .action(means((values) => ({ verb: 'list', graph: values['graph'] === true })))
  verb('show <branch>', 'one branch: its fork points, its bytes, how far it and its parent have gone on').action(
    means((_, name) => ({ verb: 'show', name: name! })),
  )
  verb('log [name]', 'what happened to branches, to one branch, or to a set')
    .addOption(new Option('-n, --limit <count>', 'only the newest').argParser(count))
    .action(means((values, name) => ({ verb: 'log', name, limit: (values['limit'] as number) ?? Infinity })))
  verb('diff <branch> [other]', 'records that only one side has, and keys that both have changed (other: its parent)')
    .option('--stat', 'numbers only')
    .option('--key <key>', 'one key, with its values on both sides')
    .option('--key-base64', 'the key is given as base64')
    .action(
      means((values, name, other) => ({
        verb: 'diff',
        name: name!,
        other,
        stat: values['stat'] === true,
        key: values['key'] === undefined ? undefined : keyOf(values, String(values['key'])),
      })),
    )
  verb('protect <topic> <how>', 'none: anybody writes; merge: only merges do; frozen: nobody writes or deletes').action(
    means((_, name, how) => ({ verb: 'protect', name: name!, as: protection(how!) })),
  )
  verb('delete [branch]', 'delete a branch, or all of a set')
    .option('--set <label>', 'every member of this set')
    .option('-y, --yes', 'do not ask')
    .action(
      means((values, name) => ({
        verb: 'command',
        command: { op: 'abandon', ...which(values, name) },
        question: `Delete ${name ?? `every topic of the set ${String(values['set'])}`}?`,
        yes: values['yes'] === true,
      })),
    )
  mergeWords(verb, means, root)
  return root
}

function create(verb: (words: string, description: string) => Command): Command {
  return verb('create [source] [name]', 'a branch of a topic; with --all or --from-set a whole set at one instant')
    .option('--set <label>', 'the set that the branches belong to')
    .option('--all', 'branches of every topic')
    .option('--from-set <label>', 'branches of every member of a set')
    .addOption(new Option('--groups <rule>', "what becomes of consumer groups' offsets").choices(groupRules))
    .addOption(
      new Option('--config <name=value>', 'a configuration of the branch; may be repeated').argParser(assignment),
    )
    .option('--ttl <ms>', 'delete it this long after its last use')
    .option('--id <id>', 'of the command: told again with the same id it is done once')
    .option('--dry-run', 'say what would be made, and make nothing')
}

function createOrder(values: Values, source: string | undefined, name: string | undefined): Verb {
  const { set, all, fromSet, groups, config, ttl, id, dryRun } = values as {
    [name: string]: string | undefined
    config?: Record<string, string> & string
  }
  const configs = {
    ...(config as Record<string, string> | undefined),
    ...(ttl === undefined ? {} : { 'branch.ttl.ms': ttl }),
  }
  const from = sourceOf(source, all !== undefined, fromSet)
  if (name === undefined && set === undefined)
    throw new BranchMisuse('a name for the branch is missing: twiglog branch create orders orders--try')
  if (name !== undefined && from.from.includes('*'))
    throw new BranchMisuse('branches of a whole set are named topic--set; leave the name out')
  const command: CommandLine = {
    op: 'fork',
    ...from,
    ...(name === undefined ? {} : { to: name }),
    ...(set === undefined ? {} : { set }),
    ...(groups === undefined ? {} : { groups }),
    ...(id === undefined ? {} : { id }),
    ...(Object.keys(configs).length === 0 ? {} : { configs }),
    ...(dryRun === undefined ? {} : { dryRun: true }),
  }
  return { verb: 'command', command }
}

function sourceOf(source: string | undefined, all: boolean, fromSet: string | undefined) {
  if (all || fromSet !== undefined) {
    if (all && fromSet !== undefined) throw new BranchMisuse('--all and --from-set exclude each other')
    if (source !== undefined && !source.startsWith('@'))
      throw new BranchMisuse(`leave '${source}' out: --all and --from-set say what is forked`)
    return { from: all ? '*' : `set:${fromSet}`, ...(source === undefined ? {} : { at: pointOf(source.slice(1)) }) }
  }
  if (source === undefined)
    throw new BranchMisuse('say which topic, or --all: twiglog branch create orders orders--try')
  const [from = '', ...rest] = source.split('@')
  return { from, ...(rest.length === 0 ? {} : { at: pointOf(rest.join('@')) }) }
}

function protection(text: string): string {
  if (['none', 'merge', 'frozen'].includes(text)) return text
  throw new BranchMisuse(`a topic is protected as none, merge or frozen, not as '${text}'`)
}

function count(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('A number from 1 on is expected.')
  return Number(text)
}

function assignment(text: string, earlier: Record<string, string> = {}): Record<string, string> {
  const [, name, value] = /^([^=]+)=(.*)$/s.exec(text) ?? []
  if (name === undefined || value === undefined) throw new InvalidArgumentError('name=value is expected.')
  return { ...earlier, [name.trim()]: value }
}
