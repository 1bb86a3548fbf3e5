// Every refusal of a command as a stock client meets it: one event with a code, and a sentence that says what to change. (Those of
// CreateTopics: fork-refusals.test.ts; for want of a right: rights-by-clients.test.ts; for a quota: command/mutation-quota.test.ts.)

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Stage } from './stage.ts'

const keyed = { 'cleanup.policy': 'compact' }
/** Two records, of which one could be written at once. */
const bulk = (digit: string, length = 70_000) => ['a', 'b'].map((key) => ({ key, value: digit.repeat(length) }))
let stage: Stage

let firstCommand = 0
/** Before any test every command that is refused was given, in one go. */
const told = new Map<string, { status: string; error?: { code: string; message: string } }>()

type Asked = { readonly op?: unknown; readonly [field: string]: unknown } | string
type Case = readonly [asked: Asked, code: string, message: RegExp]

const fork = { op: 'fork', from: 'P', to: 'new' }
const merge = { op: 'merge', from: 'C', into: 'P' }
const resolve = { op: 'resolve', merge: 'parked', topic: 'P', partition: 0, take: 'ours' }
const long = 'x'.repeat(250)

const cases: Record<string, readonly Case[]> = {
  'what is no command': [
    ['{"op":', 'NOT_JSON', /JSON/],
    ['[]', 'NOT_JSON', /object/],
    [{ op: 'frok' }, 'UNKNOWN_OP', /fork, plan, merge/],
    [{ ...fork, onconflict: 'park' }, 'INVALID_COMMAND', /no field 'onconflict'/],
    [{ op: 'fork', from: 'P' }, 'INVALID_COMMAND', /'to' is missing: the name of the branch/],
    [{ op: 'fork', to: 'x' }, 'INVALID_COMMAND', /'from' is missing: a topic/],
    [{ op: 'fork', from: '*' }, 'INVALID_COMMAND', /'set' is missing: the label/],
    [{ op: 'fork', from: '*', set: 's', to: 'x' }, 'INVALID_COMMAND', /members of a set are called topic--set/],
    [{ op: 'fork', set: 's', topics: [] }, 'INVALID_COMMAND', /'topics' must be a list that is not empty/],
    [{ ...fork, groups: 'all' }, 'INVALID_COMMAND', /'groups' must be one of none, copy, fork/],
    [{ ...fork, dryRun: 'yes' }, 'INVALID_COMMAND', /'dryRun' must be true or false/],
    [{ op: 'merge', from: 'C' }, 'INVALID_COMMAND', /either 'from' and 'into' or 'set' is needed/],
    [{ op: 'merge', set: 'S', into: 'P' }, 'INVALID_COMMAND', /no from, no into/],
    [{ ...merge, keys: ['k'], keyPrefix: 'k' }, 'INVALID_COMMAND', /exclude each other/],
    [{ ...merge, strategy: 'rebase' }, 'INVALID_COMMAND', /'strategy' must be one of .*three-way/],
    [{ ...merge, onConflict: 'mine' }, 'INVALID_COMMAND', /'onConflict' must be one of fail, park/],
    [{ ...merge, fields: 'xml' }, 'INVALID_COMMAND', /'fields' must be one of/],
    [{ op: 'plan', from: 'C', into: 'P', limit: -1 }, 'INVALID_COMMAND', /'limit' must be a whole number/],
    [{ ...resolve, key: 'k', take: undefined }, 'INVALID_COMMAND', /'take' is missing: ours, theirs, base or value/],
    [{ ...resolve, key: 'k', value: 'v' }, 'INVALID_COMMAND', /'value' belongs to take=value/],
    [resolve, 'INVALID_COMMAND', /'key' is missing/],
    [{ ...resolve, keyBase64: 'no!' }, 'INVALID_COMMAND', /must be base64/],
    [{ op: 'revert', topic: 'P' }, 'INVALID_COMMAND', /either 'merge' or 'range' is needed/],
    [{ op: 'revert', range: { 0: [0, 0] } }, 'INVALID_COMMAND', /'topic' is missing/],
    [{ op: 'revert', topic: 'P', range: { 0: [1, 0] } }, 'INVALID_COMMAND', /'range' must be/],
    [{ op: 'abandon' }, 'INVALID_COMMAND', /either 'branch' or 'set' is needed/],
    [{ op: 'listen', set: 'S', port: 70_000 }, 'INVALID_COMMAND', /from 0 to 65535/],
  ],
  'a fork': [
    [{ ...fork, from: 'nobody' }, 'INVALID_CONFIG', /no such topic\. Name one that is there/],
    [{ ...fork, from: '__consumer_offsets' }, 'INVALID_CONFIG', /the broker's own topic.*Name one of yours/],
    [{ ...fork, from: 'V' }, 'INVALID_TOPIC_EXCEPTION', /fork 'P', and make a view of the branch/],
    [{ ...fork, configs: { 'view.of': 'P' } }, 'INVALID_CONFIG', /leave out branch\.from, or what begins with view/],
    [{ ...fork, to: 'C' }, 'TOPIC_ALREADY_EXISTS', /'C' already exists.*Take another name/],
    [{ ...fork, to: long }, 'INVALID_TOPIC_EXCEPTION', /249 is the most/],
    [{ ...fork, to: 'a/b' }, 'INVALID_TOPIC_EXCEPTION', /ASCII letters, digits/],
    [{ ...fork, to: '__branches' }, 'INVALID_TOPIC_EXCEPTION', /take another one/],
    [{ ...fork, at: 'offset:99' }, 'INVALID_CONFIG', /offset 99 of partition 0 of 'P' is not within 0 to \d+/],
    [{ ...fork, at: 'offsets:7=0' }, 'INVALID_CONFIG', /has the partitions 0 to 0/],
    [{ ...fork, at: 'yesterday' }, 'INVALID_CONFIG', /Write latest, earliest/],
    [{ ...fork, set: 'a--b' }, 'INVALID_CONFIG', /no two hyphens in a row/],
    [{ ...fork, set: 'S' }, 'TOPIC_ALREADY_EXISTS', /Take another label, or abandon that one/],
    [{ ...fork, configs: { 'branch.at': 'latest' } }, 'INVALID_CONFIG', /says 'from', 'at', 'set' and 'groups' itself/],
    [{ ...fork, configs: { 'branch.known': '' } }, 'INVALID_CONFIG', /only branch\.ttl\.ms and branch\.protect can/],
    [{ ...fork, configs: { 'retention.ms': 'long' } }, 'INVALID_CONFIG', /retention\.ms/],
    [{ op: 'fork', from: 'set:nobody', set: 'T' }, 'UNKNOWN_SET', /Fork one under this label first/],
    [
      {
        op: 'fork',
        set: 's',
        topics: [
          { from: 'P', to: 'x' },
          { from: 'P', to: 'x' },
        ],
      },
      'INVALID_REQUEST',
      /a name of its own/,
    ],
    // All names that stand against it, not the first.
    [
      {
        op: 'fork',
        set: 's',
        topics: [
          { from: 'P', to: 'C' },
          { from: 'log', to: long },
        ],
      },
      'TOPIC_ALREADY_EXISTS',
      /^C: .*already exists.* x+: .*249/,
    ],
    [
      { ...fork, from: 'deep2' },
      'POLICY_VIOLATION',
      /branch\.max\.depth is 2\. Fork one of its ancestors, or raise the option/,
    ],
    [{ ...fork, from: 'deep2', dryRun: true }, 'POLICY_VIOLATION', /branch\.max\.depth/],
    [{ ...fork, from: 'many' }, 'POLICY_VIOLATION', /branch\.max\.per\.topic is 6\. Delete some, or raise the option/],
  ],
  'a merge': [
    [{ ...merge, from: 'nobody' }, 'UNKNOWN_TOPIC_OR_PARTITION', /no topic 'nobody'.*branch list/],
    [{ ...merge, into: 'nobody' }, 'UNKNOWN_TOPIC_OR_PARTITION', /no topic 'nobody'/],
    [{ op: 'plan', from: 'nobody', into: 'P' }, 'UNKNOWN_TOPIC_OR_PARTITION', /no topic 'nobody'/],
    [{ ...merge, from: 'P' }, 'INVALID_COMMAND', /name two topics/],
    [{ ...merge, into: '__branches' }, 'INVALID_TOPIC_EXCEPTION', /the broker's own topic.*Name one of yours/],
    [{ ...merge, from: 'stranger' }, 'NOT_RELATED', /no ancestor in common.*Name a relative/],
    [{ ...merge, from: 'grown' }, 'INVALID_PARTITIONS', /'grown' has 2 partitions.*add partitions to the other one/],
    [{ ...merge, into: 'frozen' }, 'POLICY_VIOLATION', /branch\.protect=frozen.*set it to merge or none/],
    [{ ...merge, strategy: 'append', keys: ['k'] }, 'INVALID_COMMAND', /Name a strategy/],
    [
      { ...merge, reads: [{ topic: 'stranger', key: 'k' }] },
      'INVALID_COMMAND',
      /no topic of this merge; name the target/,
    ],
    [{ op: 'merge', set: 'nobody' }, 'UNKNOWN_SET', /Fork one under this label first/],
    [{ op: 'merge', set: 'left' }, 'ORPHAN', /Merge the members that are wanted one by one/],
    [
      { ...merge, from: 'small--large', into: 'small' },
      'MESSAGE_TOO_LARGE',
      /max\.message\.bytes of the target is 20000\. Raise that/,
    ],
    [{ ...merge, from: 'mixed--b', into: 'mixed' }, 'INVALID_RECORD', /has no key\. Merge the keys that are meant/],
  ],
  'a resolve or a revert': [
    [{ ...resolve, topic: 'nobody', key: 'k' }, 'UNKNOWN_TOPIC_OR_PARTITION', /no topic 'nobody'/],
    [{ ...resolve, partition: 9, key: 'k' }, 'UNKNOWN_TOPIC_OR_PARTITION', /which has 0 to 0\. Name one of those/],
    [{ ...resolve, topic: 'frozen', key: 'k' }, 'POLICY_VIOLATION', /branch\.protect=frozen.*set it to merge or none/],
    [{ ...resolve, key: 'unknown' }, 'NO_SUCH_CONFLICT', /'__branch_conflicts' holds those that are/],
    [{ ...resolve, key: 'moved' }, 'MOVED', /stands at offset \d+\. Look at it, then resolve with "force":true/],
    [{ ...resolve, key: 'large', take: 'base' }, 'VALUE_LEFT_OUT', /give it with take=value/],
    [{ op: 'revert', merge: 'nobody' }, 'UNKNOWN_MERGE', /'twiglog branch log' tells the ids/],
    [{ op: 'revert', merge: 'parked', topic: 'C' }, 'UNKNOWN_MERGE', /'parked' into 'C'/],
    [{ op: 'revert', topic: 'nobody', range: { 0: [0, 0] } }, 'UNKNOWN_TOPIC_OR_PARTITION', /no topic 'nobody'/],
    [
      { op: 'revert', topic: '__branches', range: { 0: [0, 0] } },
      'INVALID_TOPIC_EXCEPTION',
      /the broker's own topic.*Name one of yours/,
    ],
    [{ op: 'revert', topic: 'P', range: { 4: [0, 0] } }, 'UNKNOWN_TOPIC_OR_PARTITION', /Name one of those/],
    [
      { op: 'revert', topic: 'P', range: { 0: [0, 9999] } },
      'OFFSET_OUT_OF_RANGE',
      /holds the decided offsets 0 to \d+/,
    ],
    [
      { op: 'revert', topic: 'log', range: { 0: [0, 0] } },
      'NOT_INVERTIBLE',
      /Fork it at the offset in front \(branch\.at\) and promote that/,
    ],
    [{ op: 'revert', topic: 'mixed', range: { 0: [0, 0] } }, 'NOT_INVERTIBLE', /has no key.*\(keys, keyPrefix\)/],
    [
      { op: 'revert', topic: 'frozen', range: { 0: [0, 0] } },
      'POLICY_VIOLATION',
      /branch\.protect=frozen.*set it to merge or none/,
    ],
  ],
  'a reset, a promotion or a deletion': [
    [{ op: 'reset', branch: 'nobody' }, 'UNKNOWN_TOPIC_OR_PARTITION', /no topic 'nobody'/],
    [{ op: 'reset', branch: 'P' }, 'NOT_A_BRANCH', /Name one that was forked from it/],
    [{ op: 'reset', branch: 'frozen' }, 'POLICY_VIOLATION', /set it to none, then it can be reset/],
    [{ op: 'reset', branch: 'lonely' }, 'ORPHAN', /delete it/],
    [{ op: 'reset', branch: 'C', at: 'offset:99' }, 'INVALID_CONFIG', /not within 0 to/],
    [{ op: 'reset', set: 'nobody' }, 'UNKNOWN_SET', /Fork one under this label first/],
    [{ op: 'promote', branch: 'nobody' }, 'UNKNOWN_TOPIC_OR_PARTITION', /no topic 'nobody'/],
    [{ op: 'promote', branch: 'P' }, 'NOT_A_BRANCH', /Name one that was forked from it/],
    [{ op: 'promote', branch: 'lonely' }, 'ORPHAN', /Fork it under the name that it is to have/],
    [{ op: 'promote', branch: 'C', keep: 'stranger' }, 'TOPIC_ALREADY_EXISTS', /Name another with keep/],
    [{ op: 'promote', branch: 'C', keep: 'a b' }, 'INVALID_TOPIC_EXCEPTION', /ASCII letters, digits/],
    [{ op: 'promote', branch: 'C', keep: '__branches' }, 'INVALID_TOPIC_EXCEPTION', /take another one/],
    [{ op: 'promote', branch: 'grown' }, 'INVALID_PARTITIONS', /Add some to the one that has fewer/],
    [{ op: 'promote', set: 'nobody' }, 'UNKNOWN_SET', /Fork one under this label first/],
    [{ op: 'abandon', branch: 'nobody' }, 'UNKNOWN_TOPIC_OR_PARTITION', /no topic 'nobody'/],
    [{ op: 'abandon', branch: 'P' }, 'NOT_A_BRANCH', /delete it as any other topic/],
    [{ op: 'abandon', branch: '__branches' }, 'NOT_A_BRANCH', /stays\. Name a branch/],
    [{ op: 'abandon', branch: 'frozen' }, 'POLICY_VIOLATION', /set it to none, then it can be deleted/],
    [{ op: 'abandon', set: 'nobody' }, 'UNKNOWN_SET', /Fork one under this label first/],
    [{ op: 'listen', set: 'nobody' }, 'UNKNOWN_SET', /Fork one under this label first/],
    [{ op: 'listen', set: 'S', port: 9999 }, 'POLICY_VIOLATION', /not within branch\.listeners\.ports.*Take 0 for any/],
  ],
}

beforeAll(async () => {
  stage = await Stage.open({
    config: { 'branch.max.depth': 2, 'branch.max.per.topic': 6, 'branch.max.merge.bytes': 100_000 },
  })
  for (const topic of ['P', 'stranger', 'parent', 'other', 'many', 'bulk']) await stage.create(topic, 1, keyed)
  for (const topic of ['log', 'mixed', 'top']) await stage.create(topic)
  await stage.create('small', 1, { 'max.message.bytes': 20_000 })
  await stage.send('log', ['line'])
  await stage.send('P', [
    { key: 'moved', value: '0' },
    { key: 'large', value: 'x'.repeat(70_000) },
  ])
  await stage.fork('P', 'C')
  await stage.fork('P', 'grown')
  await stage.admin.createPartitions({ topicPartitions: [{ topic: 'grown', count: 2 }] })
  await stage.fork('P', 'frozen', { 'branch.protect': 'frozen' })
  await stage.fork('parent', 'lonely')
  await stage.fork('small', 'small--large', { 'max.message.bytes': 100_000 })
  await stage.send('small--large', ['y'.repeat(30_000)])
  await stage.send('bulk', bulk('0'))
  await stage.send('bulk', bulk('1', 1))
  await stage.fork('bulk', 'bulk--b')
  await stage.send('bulk--b', bulk('b'))
  await stage.send('mixed', ['without a key'])
  await stage.fork('mixed', 'mixed--b')
  await stage.send('mixed--b', ['without a key'])
  await stage.admin.alterConfigs({
    validateOnly: false,
    resources: [{ type: 2, name: 'mixed', configEntries: [{ name: 'cleanup.policy', value: 'compact' }] }],
  })
  await stage.fork('top', 'deep1')
  await stage.fork('deep1', 'deep2')
  for (let i = 0; i < 6; i++) await stage.fork('many', `many--${i}`)
  await stage.create('V', -1, { 'view.of': 'P', 'view.kind': 'history' })
  await stage.run({ op: 'fork', id: 'S', set: 'S', topics: [{ from: 'P' }] })
  await stage.run({ op: 'fork', id: 'left', set: 'left', topics: [{ from: 'other' }] })
  await stage.admin.deleteTopics({ topics: ['parent', 'other'] })
  for (const [topic, value] of [
    ['C', 'c'],
    ['P', 'p'],
  ] as const)
    await stage.send(
      topic,
      ['moved', 'large'].map((key) => ({ key, value })),
    )
  await stage.run({ ...merge, id: 'parked', onConflict: 'park' })
  await stage.send('P', [{ key: 'moved', value: 'again' }])

  const before = (await stage.ends('__branches'))[0]!.high
  const first = (await stage.ends('__branch_commands'))[0]!.high
  await stage.command(...all.map(([asked]) => asked))
  for (const { id, status, error } of (await stage.events(before + all.length)).slice(before))
    told.set(id, { status, ...(error === undefined ? {} : { error }) })
  // Each has been told of under the id of its place.
  expect([...told.keys()]).toEqual(all.map((_, i) => `c-${first + i}`))
  firstCommand = first
}, 60_000)
afterAll(() => stage[Symbol.asyncDispose]())

const all = Object.values(cases).flat()
for (const [about, of] of Object.entries(cases)) {
  describe(`what stands against ${about} is told with what to change`, () => {
    test.each(of.map((one) => [JSON.stringify(one[0]).slice(0, 120), one] as const))('%s', (_, one) => {
      const [, code, message] = one
      const { status, error } = told.get(`c-${firstCommand + all.indexOf(one)}`)!
      expect(status).toBe('rejected')
      expect(error?.code, error?.message).toBe(code)
      expect(error?.message).toMatch(message)
    })
  })
}

test('a revert of some keys leaves records without one alone', async () => {
  await stage.send('mixed', [{ key: 'k', value: '1' }])
  const revert = { op: 'revert', id: 'keyed', topic: 'mixed', range: { 0: [0, 1] }, keys: ['k'] }
  expect(await stage.run(revert)).toMatchObject({ status: 'committed', counts: { written: 1 } })
})

test.each([
  { ...merge, id: 'large', from: 'bulk--b', into: 'bulk' },
  { op: 'revert', id: 'back', topic: 'bulk', range: { 0: [2, 3] } },
])('what would be too large to be held in memory is refused with how to do it: %j', async (asked) => {
  const { status, error } = await stage.run(asked)
  expect([status, error?.code]).toEqual(['rejected', 'MERGE_TOO_LARGE'])
  const message =
    /More than 100000 bytes.*branch\.max\.merge\.bytes\. Take a part at a time \(keys, keyPrefix\).*or raise the option/
  expect(error?.message).toMatch(message)
  expect(await stage.values('bulk', 4)).toEqual([...bulk('0'), ...bulk('1', 1)].map(({ value }) => value))
})

test('what is too large to be merged at once is merged a part at a time', async () => {
  const before = (await stage.ends('bulk'))[0]!.high
  for (const keyPrefix of ['a', 'b']) {
    const merged = await stage.run({ ...merge, id: `part ${keyPrefix}`, from: 'bulk--b', into: 'bulk', keyPrefix })
    expect(merged).toMatchObject({ status: 'committed', counts: { written: 1 } })
  }
  const values = await stage.values('bulk', 6)
  expect(values.map((value) => value[0])).toEqual(['0', '0', '1', '1', 'b', 'b'])
  // Of what was refused a reader of uncommitted records has seen nothing either: the two of now, and their markers.
  expect((await stage.ends('bulk'))[0]!.high).toBe(before + 4)
})

test('and nothing of it was done', async () => {
  expect(await stage.made()).not.toContain('new')
  expect(await stage.run({ ...fork, id: 'good' })).toMatchObject({ status: 'done' })
})
