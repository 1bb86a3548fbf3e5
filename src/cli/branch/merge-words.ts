// The words of what brings branches together again: merge, conflicts, revert, reset, promote, serve.

import { type Command, InvalidArgumentError, Option } from 'commander'
import { conflictRules, strategies } from '../../branch/commands.ts'
import { BranchMisuse, keyOf, pointOf, which } from './misuse.ts'
import type { CommandLine, Verb } from './order.ts'

type Values = Readonly<Record<string, unknown>>
type MakeVerb = (words: string, description: string, under?: Command, options?: { isDefault: boolean }) => Command
type Means = (read: (values: Values, ...words: (string | undefined)[]) => Verb) => (...given: unknown[]) => void

export function mergeWords(verb: MakeVerb, means: Means, root: Command): void {
  withRules(verb('merge [branch] [into]', 'bring what a branch has changed into its parent, or into another relative'))
    .option('--set <label>', 'every member of this set, each into its own parent')
    .option('--plan', 'say what would be written and what is in conflict, and write nothing')
    .addOption(
      new Option(
        '--strategy <name>',
        'how (default: three-way where the topic is compacted or keeps revisions, else append)',
      ).choices(strategies),
    )
    .addOption(new Option('--fields <kind>', 'json: members of JSON objects are merged one by one').choices(['json']))
    .option('--limit <count>', 'keys that are shown', wholeNumber)
    .action(means(mergeOrder))
  conflicts(verb, means, root)
  withRules(verb('revert [topic]', 'take back what a merge, a resolution or a revert has written'))
    .option('--merge <id>', 'of what is taken back; twiglog branch log tells it')
    .addOption(new Option('--range <range>', 'offsets instead, both included: 0:120-180').argParser(range))
    .addOption(
      new Option('--mode <mode>', 'net: the values before it; replay: every step back').choices(['net', 'replay']),
    )
    .action(means(revertOrder))
  verb('reset [branch]', 'a branch as if it had just been forked: what was written into it is gone')
    .option('--set <label>', 'every member of this set')
    .option('--at <point>', 'where its parent is cut: as in create, behind the @')
    .option('-y, --yes', 'do not ask')
    .action(
      means((values, name) => ({
        verb: 'command',
        command: { op: 'reset', ...which(values, name), ...at(values) },
        question: `Forget what was written into ${subject(values, name)}?`,
        yes: values['yes'] === true,
      })),
    )
  verb('promote [branch]', "a branch takes its parent's name; the parent lives on under another")
    .option('--set <label>', 'every member of this set')
    .option('--keep <name>', 'what the parent is called then')
    .option('--id <id>', 'of the command: told again with the same id it is done once')
    .option('-y, --yes', 'do not ask')
    .action(
      means((values, name) => ({
        verb: 'command',
        command: { op: 'promote', ...which(values, name), ...some(values, 'keep', 'id') },
        question: `Put ${subject(values, name)} in its parent's place?`,
        yes: values['yes'] === true,
      })),
    )
  verb('serve <set>', 'open a listener: whoever connects there is in the set and sees its topics under the old names')
    .option('--port <port>', '0 is any free one', wholeNumber, 0)
    .action(
      means((values, set) => ({
        verb: 'command',
        command: { op: 'listen', set: set!, port: values['port'] as number },
      })),
    )
}

const subject = (values: Values, name: string | undefined): string => name ?? `every topic of the set ${values['set']}`

function withRules(command: Command): Command {
  return command
    .addOption(
      new Option('--on-conflict <rule>', 'what becomes of keys that both sides have changed').choices(conflictRules),
    )
    .addOption(new Option('--key <key>', 'only this key; may be repeated').argParser(listed))
    .option('--key-base64', 'keys are given as base64')
    .option('--key-prefix <text>', 'only keys that begin so')
    .option('--id <id>', 'of the command: told again with the same id it is done once')
    .option('-y, --yes', 'do not ask')
}

const rules = (values: Values) => ({
  ...some(values, 'onConflict', 'keyPrefix', 'id'),
  ...keysOf(values),
})

function keysOf(values: Values): Record<string, unknown> {
  const keys = values['key'] as readonly string[] | undefined
  if (keys === undefined) return {}
  if (values['keyBase64'] !== true) return { keys }
  return { keysBase64: keys.map((key) => keyOf(values, key).toString('base64')) }
}

/** Those of the values that were given. */
const some = (values: Values, ...names: string[]): Record<string, unknown> =>
  Object.fromEntries(names.filter((name) => values[name] !== undefined).map((name) => [name, values[name]]))

const at = (values: Values) => (values['at'] === undefined ? {} : { at: pointOf(String(values['at'])) })

function mergeOrder(values: Values, from: string | undefined, into: string | undefined): Verb {
  const { set } = values
  if ((from === undefined) === (set === undefined)) throw new BranchMisuse('name a branch, or a set with --set')
  const pair = from === undefined ? { set } : { from, ...(into === undefined ? {} : { into }) }
  const command: CommandLine = {
    op: 'merge',
    ...pair,
    ...some(values, 'strategy', 'fields', 'limit'),
    ...rules(values),
  }
  return { verb: 'merge', command, plan: values['plan'] === true, yes: values['yes'] === true }
}

function revertOrder(values: Values, topic: string | undefined): Verb {
  if ((values['merge'] === undefined) === (values['range'] === undefined)) {
    throw new BranchMisuse('say what is taken back: --merge ID, or --range PARTITION:FIRST-LAST')
  }
  const named = topic === undefined ? {} : { topic }
  const command: CommandLine = { op: 'revert', ...named, ...some(values, 'merge', 'range', 'mode'), ...rules(values) }
  const what = values['merge'] === undefined ? 'these records' : `what ${values['merge']} has written`
  return { verb: 'command', command, question: `Take back ${what}?`, yes: values['yes'] === true }
}

function conflicts(verb: MakeVerb, means: Means, root: Command): void {
  const group = root.command('conflicts').description('what parked merges have left open: list, show, resolve')
  const ofMerge = (command: Command): Command => command.option('--merge <id>', 'only of this merge')
  const ofKey = (command: Command): Command => ofMerge(command).option('--key-base64', 'the key is given as base64')
  ofMerge(verb('list', 'all that is open (as without a word)', group, { isDefault: true })).action(
    means((values) => ({ verb: 'conflicts', merge: values['merge'] as string | undefined, key: undefined })),
  )
  ofKey(verb('show <key>', 'the values on both sides, and the one that both knew', group)).action(
    means((values, key) => ({
      verb: 'conflicts',
      merge: values['merge'] as string | undefined,
      key: keyOf(values, key!),
    })),
  )
  ofKey(verb('resolve <key>', 'decide', group))
    .addOption(
      new Option('--take <side>', 'ours is the target, theirs the source')
        .choices(['ours', 'theirs', 'base', 'value'])
        .makeOptionMandatory(),
    )
    .option('--value <text>', 'with --take value')
    .option('--delete', 'with --take value: the key goes')
    .option('--topic <topic>', 'the target, where several have this key in conflict')
    .option('--force', 'though the key has been written in the target since')
    .action(
      means((values, key) => ({
        verb: 'resolve',
        key: keyOf(values, key!),
        merge: values['merge'] as string | undefined,
        topic: values['topic'] as string | undefined,
        how: {
          ...some(values, 'take', 'value', 'force'),
          ...(values['delete'] === true ? { value: null } : {}),
        },
      })),
    )
}

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('A whole number is expected.')
  return Number(text)
}

const listed = (text: string, earlier: string[] = []): string[] => [...earlier, text]

function range(text: string, earlier: Record<string, [number, number]> = {}): Record<string, [number, number]> {
  const [, partition, first, last] = /^(\d+):(\d+)-(\d+)$/.exec(text) ?? []
  if (partition === undefined) throw new InvalidArgumentError('PARTITION:FIRST-LAST is expected, like 0:120-180.')
  return { ...earlier, [partition]: [Number(first), Number(last)] }
}
