// The words of `twiglog rev`: what may be said, and the order that it means.

import { Command, InvalidArgumentError, Option } from 'commander'
import { Refusal } from '../../../protocol/errors.ts'
import { parseForkPoint } from '../../branch/fork-point.ts'
import { keyOf } from '../branch/misuse.ts'
import { Misuse } from '../misuse.ts'
import type { Point, RevOrder, Verb } from './order.ts'

type Values = Readonly<Record<string, unknown>>
type Words = readonly (string | undefined)[]

const examples = `
As of where (--at): 7 or rev:7, offset:120 (records below it), timestamp:<ms>, 2026-11-21 or
2026-11-21T22:00:00Z (UTC where no zone is given)

Examples:
  twiglog rev log orders 1001                    every revision of the key, the newest first
  twiglog rev show orders 1001 --at 2026-11-20   its value as of that night
  twiglog rev diff orders 1001                   what its last change was
  twiglog rev diff orders 1001 3 7 --raw         the deltas of revisions 4 to 7
  twiglog rev restore orders 1001 --at rev:3     makes an old value the newest again
  twiglog rev stats orders                       how many there are, and what they take

Exit codes: 0 done, 1 refused, 2 not understood, 5 no broker answers.
`

export function revCommand(give: (order: RevOrder) => void): Command {
  const root = new Command('rev')
    .description('look at the revisions of a key, compare them, and bring one back')
    .addHelpText('after', examples)
  const verb = (words: string, description: string) =>
    root
      .command(words)
      .description(description)
      .option('--branch <name>', 'on this branch of the topic')
      .option('--key-base64', 'the key is given as base64')
      .addOption(new Option('--partition <index>', 'where several partitions have the key').argParser(index))
      .option('--bootstrap <servers>', 'host:port of a broker', '127.0.0.1:9092')
      .option('--json', 'JSON, one value a line')
  const means = (read: (values: Values, ...words: Words) => Verb) => {
    return (...given: unknown[]) => {
      const command = given.at(-1) as Command
      const values = command.opts<Values>()
      const [topic, key, ...rest] = command.processedArgs as (string | undefined)[]
      const verb = read(values, ...rest)
      const subject = {
        bootstrap: String(values['bootstrap']),
        json: values['json'] === true,
        topic: topicOf(topic!, values['branch'] as string | undefined),
        partition: values['partition'] as number | undefined,
      }
      if (key !== undefined) give({ ...subject, key: keyOf(values, key), ...verb })
      else give({ ...subject, key: undefined, verb: 'stats' })
    }
  }
  const at = () => new Option('--at <point>', 'as of where').argParser(pointOf).default({ kind: 'newest' }, 'newest')
  const pointIn = (values: Values) => values['at'] as Point
  verb('log <topic> <key>', 'its revisions, the newest first')
    .addOption(at())
    .addOption(new Option('-n, --limit <count>', 'only so many').argParser(count))
    .action(
      means((values) => ({
        verb: 'log',
        at: pointIn(values),
        limit: (values['limit'] as number) ?? Number.POSITIVE_INFINITY,
      })),
    )
  verb('show <topic> <key>', 'a value')
    .addOption(at())
    .option('--delta', 'the delta (VCDIFF) that makes it out of the revision before, as base64')
    .action(means((values) => ({ verb: 'show', at: pointIn(values), delta: values['delta'] === true })))
  verb('diff <topic> <key> [from] [to]', 'what has changed between two revisions (the last two)')
    .addOption(at())
    .option('--raw', 'the deltas (VCDIFF) as base64')
    .action(means(diffVerb))
  verb('restore <topic> <key>', 'writes the value of an older revision as the newest')
    .addOption(new Option('--at <point>', 'which revision; it has to be said').argParser(pointOf))
    .option('-y, --yes', 'do not ask')
    .action(
      means((values) => {
        const point = values['at'] as Point | undefined
        if (point === undefined || point.kind === 'newest')
          throw new Misuse('say with --at which revision is brought back')
        return { verb: 'restore', at: point, yes: values['yes'] === true }
      }),
    )
  verb('stats <topic> [key]', 'how many revisions there are, and what they take').action(
    means(() => ({ verb: 'stats' })),
  )
  return root
}

function diffVerb(values: Values, from: string | undefined, to: string | undefined): Verb {
  const at = values['at'] as Point
  const [first, last] = [from, to].map((text) => (text === undefined ? undefined : revOf(text)))
  if (at.kind !== 'newest' && first !== undefined)
    throw new Misuse('--at and two revisions say the same thing: leave one out')
  return { verb: 'diff', at, from: first, to: last, raw: values['raw'] === true }
}

function revOf(text: string): number {
  const rev = /^(?:rev:)?(\d{1,15})$/.exec(text)?.[1]
  if (rev !== undefined) return Number(rev)
  throw new Misuse(`'${text}' is no number of a revision`)
}

/** `try` means `orders--try`; the whole name will do too. */
const topicOf = (topic: string, branch: string | undefined): string => {
  if (branch === undefined) return topic
  return branch.startsWith(`${topic}--`) ? branch : `${topic}--${branch}`
}

/** Short for what HTTP takes as `at`. */
function pointOf(text: string): Point {
  const rev = /^(?:rev:)?(\d{1,15})$/.exec(text)?.[1]
  if (rev !== undefined) return { kind: 'rev', rev: Number(rev) }
  if (text === 'newest') return { kind: 'newest' }
  const point = parseForkPoint(/^\d{4}-\d\d-\d\d/.test(text) ? `timestamp:${text}` : text)
  if (!(point instanceof Refusal)) {
    if (point.kind === 'offset') return { kind: 'offset', offset: point.offset }
    if (point.kind === 'timestamp') return { kind: 'timestamp', timestamp: point.timestamp }
  }
  throw new InvalidArgumentError('rev:N, offset:N, timestamp:<ms or ISO-8601> or a date is expected.')
}

function count(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('A number from 1 on is expected.')
  return Number(text)
}

function index(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('The number of a partition is expected.')
  return Number(text)
}
