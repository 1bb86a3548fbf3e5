// `twiglog branch` as it is typed: words in, a table or JSON out, an exit code for scripts; over the wire to a broker.

import { describe, expect, test } from 'vitest'
import { runBranch } from '../../src/cli/branch/run.ts'
import type { Terminal } from '../../src/cli/client/session.ts'
import { type Order, readOrder } from '../../src/options.ts'
import { Stage } from '../branch/stage.ts'
import { type Said, typed } from './typed.ts'

/** Types a line. `answers`: what somebody says when asked; nobody is there without. */
function type(stage: Stage | undefined, line: string, answers?: boolean): Promise<Said> {
  const bootstrap = stage === undefined ? [] : ['--bootstrap', stage.broker.bootstrapServers]
  const run = (order: Order, terminal: Terminal) => {
    if (order.kind !== 'branch') throw new Error(`${line} means ${order.kind}`)
    return runBranch(order.order, terminal)
  }
  return typed(['branch', ...line.split(' '), ...bootstrap], run, answers)
}

/** orders with k1 and k2, stock with one record. */
async function opened(): Promise<Stage> {
  const stage = await Stage.open()
  await stage.create('orders')
  await stage.create('stock')
  await stage.send('orders', [
    { key: 'k1', value: 'a' },
    { key: 'k2', value: 'b' },
  ])
  await stage.send('stock', ['s'])
  return stage
}

describe('twiglog branch create', () => {
  test('makes a branch, or says what stands against it', async () => {
    await using stage = await opened()
    const made = await type(stage, 'create orders orders--try')
    expect(made).toMatchObject({ code: 0, err: '' })
    expect(made.out).toBe('BRANCH       OF      CUT AT\norders--try  orders  0=2')
    expect(await stage.ends('orders--try')).toEqual([{ low: 0, high: 2 }])
    expect(await type(stage, 'create orders orders--try')).toMatchObject({
      code: 1,
      err: "TOPIC_ALREADY_EXISTS: Topic 'orders--try' already exists. Take another name, or delete that one first.",
    })
    expect(await type(stage, 'create nope nope--try')).toMatchObject({ code: 1 })
  })

  test.each([
    ['orders@1', 1],
    ['orders@0=1', 1],
    ['orders@earliest', 0],
    ['orders@latest', 2],
    ['orders@group:nobody', 0],
    ['orders@1970-01-01', 0],
  ])('cuts at %s', async (source, end) => {
    await using stage = await opened()
    expect(await type(stage, `create ${source} b`)).toMatchObject({ code: 0, err: '' })
    expect(await stage.ends('b')).toEqual([{ low: 0, high: end }])
  })

  test('makes sets of all topics and of sets, configured as told, once for each id', async () => {
    await using stage = await opened()
    const all = await type(stage, 'create --all --set S --groups none --config retention.ms=5 --id once --json')
    expect(all.json()).toMatchObject([{ type: 'fork', id: 'once', set: 'S', topics: [{}, {}] }])
    expect(await stage.configs('stock--S')).toMatchObject({ 'retention.ms': '5', 'branch.groups': 'none' })
    expect((await type(stage, 'create --all --set S --id once')).out).toContain('This id was done before')
    expect(await type(stage, 'create --from-set S --set T')).toMatchObject({ code: 0 })
    expect(await type(stage, 'create orders x --dry-run')).toMatchObject({ code: 0 })
    const made = (await type(stage, 'list --json')).json().map(({ name }) => name)
    expect(made).toEqual(['orders--S', 'orders--T', 'stock--S', 'stock--T'])
  })

  test.each([
    ['create', 'say which topic'],
    ['create orders', 'a name for the branch is missing'],
    ['create --all --from-set S --set T', 'exclude each other'],
    ['create orders --all --set T', "leave 'orders' out"],
    ['create --all', 'a name for the branch is missing'],
    ['create orders b --config x', 'name=value is expected'],
    ['delete', 'name a branch, or a set with --set'],
    ['delete b --set S', 'name a branch, or a set with --set'],
    ['protect orders forever', 'protected as none, merge or frozen'],
    ['log -n 0', 'A number from 1 on'],
    ['lst', "unknown command 'lst'"],
  ])('%s makes no sense, and the answer says why', async (line, why) => {
    const { code, err } = await type(undefined, line)
    expect(code).toBe(2)
    expect(err).toContain(why)
  })
})

describe('twiglog branch list, show, log', () => {
  test('tell what there is, as a table, as a tree and as JSON', async () => {
    await using stage = await opened()
    expect((await type(stage, 'list')).out).toContain('There is no branch yet')
    await type(stage, 'create orders a')
    await type(stage, 'create a b')
    await type(stage, 'create orders@1 c')
    await type(stage, 'create --all --set S')
    const rows = (await type(stage, 'list')).out.split('\n')
    expect(rows[0]).toMatch(/^BRANCH +OF +CUT AT +SET +OWN +SHARED/)
    expect(rows.slice(1).map((row) => row.split(/ +/).slice(0, 3))).toEqual([
      ['a', 'orders', '0=2'],
      ['b', 'a', '0=2'],
      ['c', 'orders', '0=1'],
      ['orders--S', 'orders', '0=2'],
      ['stock--S', 'stock', '0=1'],
    ])
    expect((await type(stage, 'list --graph')).out.split('\n')).toEqual([
      'orders',
      '├─ a @ 0=2',
      '│  └─ b @ 0=2',
      '├─ c @ 0=1',
      '└─ orders--S @ 0=2  [S]',
      'stock',
      '└─ stock--S @ 0=1  [S]',
    ])
    expect((await type(stage, 'list --json')).json()[0]).toMatchObject({ name: 'a', from: 'orders', offsets: { 0: 2 } })
    // What was put aside within a set is in no list of topics, and only its promotion tells of it.
    await type(stage, 'create orders--S d')
    await type(stage, 'promote d --keep aside--S --yes')
    expect((await type(stage, 'list')).out).toContain('\naside--S  ')
  })

  test('tell how far a branch and its parent have gone on, and that a parent is gone', async () => {
    await using stage = await opened()
    await type(stage, 'create orders a')
    await stage.send('a', ['one', 'two'])
    await stage.send('orders', ['three'])
    expect((await type(stage, 'show a --json')).json()).toMatchObject([
      { name: 'a', partitions: [{ partition: 0, forkedAt: 2, end: 4, ahead: 2, behind: 1 }] },
    ])
    expect((await type(stage, 'show a')).out).toMatch(/\n +0 +2 +4 +2 +1$/)
    await stage.admin.deleteTopics({ topics: ['orders'] })
    expect((await type(stage, 'show a')).out).toContain('orders (which is gone)')
    expect(await type(stage, 'show stock')).toMatchObject({ code: 1, err: "'stock' is no branch." })
    expect(await type(stage, 'show nothing')).toMatchObject({ code: 1 })
  })

  test('tell what happened, to one branch, and only the newest', async () => {
    await using stage = await opened()
    expect((await type(stage, 'log')).out).toBe('Nothing has happened yet.')
    await type(stage, 'create orders a --id one')
    await type(stage, 'create orders b --id two')
    await type(stage, 'delete a')
    const types = async (line: string) => (await type(stage, line)).json().map((event) => event['type'])
    expect(await types('log --json')).toEqual(['fork', 'fork', 'delete'])
    expect(await types('log a --json')).toEqual(['fork', 'delete'])
    expect(await types('log -n 1 --json')).toEqual(['delete'])
    expect((await type(stage, 'log b')).out.split('\n')[1]).toMatch(/fork +done +two +User:ANONYMOUS +orders → b$/)
  })
})

describe('twiglog branch diff', () => {
  async function parted(): Promise<Stage> {
    const stage = await opened()
    await type(stage, 'create orders a')
    await stage.send('a', [
      { key: 'k1', value: 'x' },
      { key: 'k3', value: 'mine' },
      { key: 'same', value: 'both' },
      { value: 'no key' },
    ])
    await stage.send('orders', [
      { key: 'k1', value: 'y' },
      { key: 'same', value: 'both' },
      { key: 'k2', value: null },
    ])
    return stage
  }

  test('shows what only one side has, and what both have changed', async () => {
    await using stage = await parted()
    const found = (await type(stage, 'diff a --json')).json()
    expect(found).toEqual([
      { partition: 0, key: 'k1', kind: 'both', ours: { offset: 2, value: 'x' }, theirs: { offset: 2, value: 'y' } },
      { partition: 0, key: 'k3', kind: 'only ours', ours: { offset: 3, value: 'mine' } },
      { partition: 0, key: 'k2', kind: 'only theirs', theirs: { offset: 4, value: null } },
      { partition: 0, key: null, kind: 'only ours', ours: { offset: 5, value: 'no key' } },
    ])
    expect((await type(stage, 'diff a --stat --json')).json()).toEqual([{ onlyOurs: 2, onlyTheirs: 1, both: 1 }])
    expect((await type(stage, 'diff a --key k3 --json')).json()).toHaveLength(1)
    expect((await type(stage, 'diff a')).out).toMatch(/0 +k1 +on both +2: x +2: y/)
  })

  test('works between siblings and between generations, and not between strangers', async () => {
    await using stage = await parted()
    await type(stage, 'create a deep')
    await type(stage, 'create orders@1 sibling')
    await stage.send('deep', [{ key: 'k4', value: 'd' }])
    const keys = async (line: string) =>
      (await type(stage, line)).json().map(({ key, kind }) => `${kind as string} ${key as string}`)
    expect(await keys('diff deep a --json')).toEqual(['only ours k4'])
    expect(await keys('diff deep orders --key k4 --json')).toEqual(['only ours k4'])
    expect(await keys('diff sibling orders --key k2 --json')).toEqual(['only theirs k2'])
    expect(await type(stage, 'diff a stock')).toMatchObject({
      code: 1,
      err: expect.stringContaining('do not come from'),
    })
    expect(await type(stage, 'diff orders')).toMatchObject({ code: 1, err: "'orders' is no branch." })
  })

  // Seen from the branch they were missing without a word; seen from the parent the command refused.
  test('shows what stands in partitions that only one side has', async () => {
    await using stage = await opened()
    await type(stage, 'create orders a')
    await stage.admin.createPartitions({ topicPartitions: [{ topic: 'orders', count: 2 }] })
    // Nobody who has looked before.
    const producer = stage.kafka.producer()
    await producer.connect()
    await producer.send({ topic: 'orders', messages: [{ partition: 1, key: 'k9', value: 'new' }] })
    await producer.disconnect()
    for (const line of ['diff a --json', 'diff orders a --json']) {
      const [found, ...others] = (await type(stage, line)).json()
      expect(found).toMatchObject({ partition: 1, key: 'k9' })
      expect(others).toEqual([])
    }
  })

  test('leaves aborted records out', async () => {
    await using stage = await opened()
    await type(stage, 'create orders a')
    const producer = stage.kafka.producer({ transactionalId: 'tx', idempotent: true, maxInFlightRequests: 1 })
    await producer.connect()
    for (const outcome of ['abort', 'commit'] as const) {
      const transaction = await producer.transaction()
      await transaction.send({ topic: 'a', messages: [{ key: outcome, value: 'v' }] })
      await transaction[outcome]()
    }
    await producer.disconnect()
    expect((await type(stage, 'diff a --json')).json().map(({ key }) => key)).toEqual(['commit'])
  })
})

describe('twiglog branch protect and delete', () => {
  test('a frozen branch stays, until it is taken back and somebody says yes', async () => {
    await using stage = await opened()
    await type(stage, 'create orders a')
    expect(await type(stage, 'protect a frozen')).toMatchObject({ code: 0 })
    expect(await type(stage, 'delete a')).toMatchObject({ code: 1, err: expect.stringContaining('frozen') })
    await type(stage, 'protect a none')
    expect(await type(stage, 'delete a', false)).toMatchObject({ code: 1 })
    expect(await stage.topics()).toContain('a')
    expect(await type(stage, 'delete a', true)).toMatchObject({ code: 0, out: 'Deleted: a.' })
    expect(await stage.topics()).not.toContain('a')
    await type(stage, 'create --all --set S')
    expect((await type(stage, 'delete --set S')).out).toBe('Deleted: orders--S, stock--S.')
  })
})

test('twiglog branch serve opens a listener of the set, and tells where it is', async () => {
  await using stage = await opened()
  await type(stage, 'create --all --set S')
  const { code, out } = await type(stage, 'serve S --json')
  expect(code).toBe(0)
  const { bootstrap } = JSON.parse(out) as { bootstrap: string }
  expect((await type(stage, 'serve S')).out).toContain(`The set S is served at ${bootstrap}`)
  expect(await type(stage, 'serve nothing')).toMatchObject({ code: 1, err: expect.stringContaining('UNKNOWN_SET') })
})

test('where no broker answers the exit code is 5, and an address that is none is misuse', async () => {
  const world = { environment: {}, currentFolder: '.', version: '0' }
  const err: string[] = []
  const terminal = {
    isTerminal: false,
    out: () => {},
    err: (text: string) => err.push(text),
    confirm: async () => false,
  }
  for (const [bootstrap, code] of [
    ['127.0.0.1:1', 5],
    ['a b', 2],
  ] as const) {
    const order = await readOrder(['branch', 'list', '--bootstrap', bootstrap], world)
    expect(order.kind === 'branch' && (await runBranch(order.order, terminal))).toBe(code)
  }
  expect(err[0]).toContain('No broker answers at 127.0.0.1:1 (ECONNREFUSED)')
})

describe('twiglog branch reset and promote', () => {
  test('reset forgets what was written into a branch, once somebody says yes', async () => {
    await using stage = await opened()
    await type(stage, 'create orders a')
    await stage.send('a', ['mine'])
    expect(await type(stage, 'reset a', false)).toMatchObject({ code: 1 })
    expect(await stage.ends('a')).toEqual([{ low: 0, high: 3 }])
    expect((await type(stage, 'reset a --at 1', true)).out).toMatch(/a +orders +0=1$/)
    expect(await stage.ends('a')).toEqual([{ low: 0, high: 1 }])
  })

  test('promote puts a branch in the place of its parent, which lives on', async () => {
    await using stage = await opened()
    await type(stage, 'create orders a')
    await stage.send('a', ['mine'])
    expect(await type(stage, 'promote a --keep old')).toMatchObject({
      code: 0,
      out: expect.stringContaining('a is orders now. What was orders lives on as old'),
    })
    expect(await stage.ends('orders')).toEqual([{ low: 0, high: 3 }])
    expect(await stage.ends('old')).toEqual([{ low: 0, high: 2 }])
  })
})

describe('twiglog branch merge, conflicts and revert', () => {
  /** orders is compacted; its branch `a` and it have both changed k1, and the branch k3. */
  async function parted(): Promise<Stage> {
    const stage = await Stage.open()
    await stage.create('orders', 1, { 'cleanup.policy': 'compact' })
    await stage.send('orders', [{ key: 'k1', value: 'a' }])
    await type(stage, 'create orders a')
    await stage.send('a', [
      { key: 'k1', value: 'theirs' },
      { key: 'k3', value: 'new' },
    ])
    await stage.send('orders', [{ key: 'k1', value: 'ours' }])
    return stage
  }

  test('a plan tells conflicts beforehand, a merge with them is refused whole, and both exit with 4', async () => {
    await using stage = await parted()
    const plan = await type(stage, 'merge a --plan')
    expect(plan.code).toBe(4)
    expect(plan.out).toContain('1 in conflict')
    expect(plan.out).toMatch(/orders +0 +k1 +edit\/edit/)
    const refused = await type(stage, 'merge a orders')
    expect(refused).toMatchObject({ code: 4, out: expect.stringContaining('Nothing was written: 1 in conflict.') })
    expect(await stage.ends('orders')).toEqual([{ low: 0, high: 2 }])
    expect((await type(stage, 'merge a --plan --json')).json()[0]).toMatchObject({ type: 'plan', status: 'conflicts' })
  })

  test('a plan that appends keyed records says that it does', async () => {
    await using stage = await opened()
    await type(stage, 'create orders a')
    await stage.send('a', [{ key: 'k1', value: 'x' }])
    expect((await type(stage, 'merge a --plan')).out).toContain('--strategy three-way compares keys')
    expect((await type(stage, 'merge a --plan --strategy three-way')).out).not.toContain('compares keys')
  })

  test('a plan for a topic that keeps revisions compares keys, and says nothing else', async () => {
    await using stage = await Stage.open()
    await stage.create('docs', 1, { 'revision.diff': true })
    await stage.send('docs', [{ key: 'k1', value: 'a' }])
    await type(stage, 'create docs a')
    await stage.send('a', [{ key: 'k1', value: 'x' }])
    await stage.send('docs', [{ key: 'k1', value: 'y' }])
    const plan = await type(stage, 'merge a --plan')
    expect(plan).toMatchObject({ code: 4, out: expect.not.stringContaining('appended') })
  })

  test('keys that are no text are named as base64', async () => {
    await using stage = await Stage.open()
    await stage.create('orders', 1, { 'cleanup.policy': 'compact' })
    await type(stage, 'create orders a')
    const key = Buffer.from([0xff, 0x00, 0x80])
    await stage.send('a', [{ key, value: 'theirs' }])
    await stage.send('orders', [{ key, value: 'ours' }])
    const named = '/wCA --key-base64'
    expect((await type(stage, `diff a --key ${named} --json`)).json()).toMatchObject([{ kind: 'both' }])
    expect((await type(stage, `merge a --key ${named} --on-conflict park`)).out).toContain('1 in conflict')
    expect((await type(stage, `conflicts show ${named}`)).out).toContain('theirs')
    expect(await type(stage, 'conflicts show /wC --key-base64')).toMatchObject({ code: 2 })
    expect(await type(stage, `conflicts resolve ${named} --take theirs`)).toMatchObject({ code: 0 })
  })

  test('a refusal that is told again says so, for another id is all that helps', async () => {
    await using stage = await opened()
    await type(stage, 'create nothing a --id i1')
    const again = await type(stage, 'create orders a --id i1')
    expect(again).toMatchObject({ code: 1, err: expect.stringMatching(/no such topic[\s\S]*Take another id/) })
  })

  test('a terminal shows the plan and asks first', async () => {
    await using stage = await parted()
    const { code, out } = await type(stage, 'merge a --on-conflict theirs', false)
    expect(code).toBe(1)
    expect(out).toContain('written')
    expect(await stage.ends('orders')).toEqual([{ low: 0, high: 2 }])
    expect((await type(stage, 'merge a --on-conflict theirs', true)).code).toBe(0)
    expect((await stage.ends('orders'))[0]!.high).toBeGreaterThan(2)
  })

  test('what is parked is listed, shown and resolved, and a merge is taken back', async () => {
    await using stage = await parted()
    const parked = await type(stage, 'merge a --on-conflict park --id m1')
    expect(parked).toMatchObject({ code: 0, out: expect.stringContaining('conflicts list shows what is open') })
    const rows = (await type(stage, 'conflicts')).out.split('\n')
    expect(rows[1]!.split(/ {2,}/)).toEqual(['m1', 'orders', '0', 'k1', 'edit/edit', 'ours', 'theirs'])
    expect((await type(stage, 'conflicts show k1')).out).toMatch(/Base +a\n/)
    expect((await type(stage, 'conflicts list --json')).json()).toMatchObject([{ merge: 'm1', key: 'k1' }])
    expect(await type(stage, 'conflicts show k3')).toMatchObject({ code: 1 })
    expect(await type(stage, 'conflicts resolve k1 --take theirs')).toMatchObject({ code: 0 })
    expect((await type(stage, 'conflicts list')).out).toBe('Nothing is in conflict.')
    expect(await type(stage, 'conflicts resolve k1 --take theirs')).toMatchObject({ code: 1 })
    expect(await type(stage, 'revert orders --merge m1')).toMatchObject({ code: 0 })
    const events = (await type(stage, 'log')).out.split('\n').slice(1)
    expect(events.map((line) => line.split(/ {2,}/)[1])).toEqual(['fork', 'merge', 'resolve', 'revert'])
  })

  test('only some keys are merged where somebody says so', async () => {
    await using stage = await parted()
    expect(await type(stage, 'merge a --key k3')).toMatchObject({ code: 0, out: expect.stringContaining('1 written') })
    expect((await type(stage, 'diff a --key k3 --json')).out).toBe('')
    expect(await type(stage, 'merge nothing')).toMatchObject({ code: 1 })
    expect(await type(stage, 'merge orders')).toMatchObject({ code: 1, err: "'orders' is no branch." })
  })

  test.each([
    ['merge', 'name a branch, or a set'],
    ['merge a --on-conflict mine', 'Allowed choices are fail, park, ours, theirs, newest'],
    ['revert orders', 'say what is taken back'],
    ['revert orders --range 5', 'PARTITION:FIRST-LAST'],
    ['conflicts resolve k', "'--take <side>' not specified"],
  ])('%s makes no sense, and the answer says why', async (line, why) => {
    const { code, err } = await type(undefined, line)
    expect(code).toBe(2)
    expect(err).toContain(why)
  })
})
