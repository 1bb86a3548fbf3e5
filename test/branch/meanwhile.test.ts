// What a command is told whose topic is deleted, by a stock client, while it is at work: which one went, and that nothing of it was
// done. A reset came to a mistake of the broker's by it, and a fork was told that the disk had failed.

import { expect, test } from 'vitest'
import { FaultyStore } from '../../src/storage/faulty-file.ts'
import { eventually } from '../eventually.ts'
import { namesIn } from '../faults/furnished.ts'
import { folderOf, type Moment, momentOf, whileOn } from './held-disk.ts'
import { Stage } from './stage.ts'

/** Room for a fork is being made: it is not judged yet. */
function beforeJudging(store: FaultyStore): Moment {
  const moment = momentOf()
  store.makeFolders = moment.wait
  return moment
}

type When = 'before it is judged' | 'behind the cut' | 'behind its beginning' | 'while files are put together'

async function momentIn(when: When, stage: Stage, store: FaultyStore): Promise<Moment> {
  if (when === 'before it is judged') return beforeJudging(store)
  if (when === 'behind the cut') return whileOn(store, (path) => path.endsWith('.tmp'))
  if (when === 'while files are put together') return whileOn(store, (path) => path.includes('.forward'))
  const history = await folderOf(stage, '__branches')
  return whileOn(store, (path) => path.startsWith(history))
}

/** `R` with a branch `T`, one key in conflict and parked; `P` and `Q` with branches of the set `S`. */
async function staged(): Promise<[Stage, FaultyStore]> {
  const store = new FaultyStore()
  const stage = await Stage.open({ storage: store })
  for (const topic of ['P', 'Q', 'R']) {
    await stage.create(topic, 1, { 'cleanup.policy': 'compact' })
    await stage.send(topic, [{ key: 'k', value: '0' }])
  }
  await stage.run({ op: 'fork', id: 'f1', set: 'S', topics: [{ from: 'P' }, { from: 'Q' }] })
  await stage.fork('R', 'T')
  for (const topic of ['P--S', 'Q--S', 'T', 'R']) await stage.send(topic, [{ key: 'k', value: topic }])
  await stage.run({ op: 'merge', id: 'parked', from: 'T', into: 'R', onConflict: 'park' })
  await stage.send('T', [{ key: 'new', value: 'T' }])
  return [stage, store]
}

const unknown = 'UNKNOWN_TOPIC_OR_PARTITION'
const fork = { op: 'fork', from: 'R', to: 'N' }
const forwarding = { op: 'merge', set: 'S', strategy: 'fast-forward' }
const cases: (readonly [asked: Readonly<Record<string, unknown>>, deleted: string, when: When, code: string])[] = [
  [fork, 'R', 'behind the cut', 'INVALID_CONFIG'],
  [{ ...fork, groups: 'copy' }, 'R', 'behind the cut', 'INVALID_CONFIG'],
  [{ op: 'fork', from: '*', set: 'A' }, 'R', 'behind the cut', 'INVALID_CONFIG'],
  [{ op: 'reset', branch: 'T' }, 'T', 'before it is judged', unknown],
  [{ op: 'reset', branch: 'T' }, 'R', 'before it is judged', unknown],
  [{ op: 'reset', branch: 'T' }, 'T', 'behind the cut', unknown],
  [{ op: 'reset', branch: 'T' }, 'R', 'behind the cut', unknown],
  [{ op: 'reset', set: 'S' }, 'P--S', 'before it is judged', unknown],
  [{ op: 'reset', set: 'S' }, 'P--S', 'behind the cut', unknown],
  [{ op: 'merge', from: 'T', into: 'R', onConflict: 'theirs' }, 'R', 'behind its beginning', unknown],
  [{ op: 'merge', set: 'S', onConflict: 'theirs' }, 'Q', 'behind its beginning', unknown],
  [forwarding, 'Q', 'while files are put together', unknown],
  [forwarding, 'P--S', 'while files are put together', unknown],
  [{ op: 'revert', topic: 'R', range: { 0: [0, 0] }, onConflict: 'theirs' }, 'R', 'behind its beginning', unknown],
  [
    { op: 'resolve', merge: 'parked', topic: 'R', partition: 0, key: 'k', take: 'theirs' },
    'R',
    'behind its beginning',
    unknown,
  ],
]

/** Offsets and values of all that there is, and who is listed. */
async function pictureOf(stage: Stage): Promise<Record<string, string[]>> {
  const picture: Record<string, string[]> = {}
  for (const topic of ['P', 'Q', 'R', 'T', 'P--S', 'Q--S']) {
    const ends = await stage.ends(topic).catch(() => undefined)
    if (ends !== undefined) picture[topic] = await stage.values(topic, topic === 'T' ? 3 : topic === 'R' ? 2 : 1)
  }
  return { ...picture, made: await stage.made() }
}

test.each(cases)('%j, as %s is deleted %s: %s', async (asked, deleted, when, code) => {
  const [stage, store] = await staged()
  try {
    const { [deleted]: _, ...before } = await pictureOf(stage)
    const { reached, goOn } = await momentIn(when, stage, store)
    await stage.command({ ...asked, id: 'x' })
    await reached
    await stage.admin.deleteTopics({ topics: [deleted] })
    goOn()
    const { status, error } = await stage.event('x')
    expect([status, error?.code], error?.message).toEqual(['rejected', code])
    const told = `'${deleted}' was deleted meanwhile, and nothing of this was done. Ask again for topics that are there.`
    expect(error?.message).toContain(told)
    const made = before['made']!.filter((name) => name !== deleted)
    expect(await pictureOf(stage)).toEqual({ ...before, made })
    expect(namesIn(store).filter((path) => /\.tmp|\.forward/.test(path))).toEqual([])
    // Nothing waits behind it.
    expect(await stage.run({ op: 'fork', id: 'y', from: 'Q--S', to: 'Y' })).toMatchObject({ status: 'done' })
  } finally {
    await stage[Symbol.asyncDispose]()
  }
})

test('CreateTopics is told the same of a parent, and makes nothing', async () => {
  const [stage, store] = await staged()
  const { reached, goOn } = whileOn(store, (path) => path.endsWith('.tmp'))
  const refused = stage.refusals([{ from: 'R', topic: 'N' }])
  await reached
  await stage.admin.deleteTopics({ topics: ['R'] })
  goOn()
  expect(await refused).toEqual({
    N: expect.stringMatching(/^INVALID_CONFIG: branch.from=R: 'R' was deleted meanwhile/),
  })
  await expect(stage.fork('R', 'N')).rejects.toMatchObject({ errors: [{ type: 'INVALID_CONFIG' }] })
  expect(await stage.made()).toEqual(['P', 'Q', 'T'])
  await stage[Symbol.asyncDispose]()
})

// The answer was about a topic that was not there any more, and the connection was cut.
test('whoever made a branch that somebody deletes before it is answered is told that', async () => {
  const store = new FaultyStore()
  await using stage = await Stage.open({ storage: store })
  await stage.create('R')
  let flushes = 0
  // The first fork of all makes `__branches` when the branch is there already.
  const isSecond = (path: string, operation: string) =>
    operation === 'flush' && path.startsWith('metadata/') && ++flushes === 2
  const { reached, goOn } = whileOn(store, isSecond)
  const made = stage.refusals([{ from: 'R', topic: 'N' }])
  await reached
  expect(await stage.made()).toEqual(['N', 'R'])
  // A connection is answered in order.
  const other = stage.kafka.admin()
  await other.connect()
  const deleted = other.deleteTopics({ topics: ['N'] })
  await eventually(async () => expect(await stage.made()).toEqual(['R']))
  goOn()
  expect(await made).toEqual({
    N: expect.stringMatching(/^UNKNOWN_TOPIC_OR_PARTITION: 'N' was made, and somebody has/),
  })
  await deleted
  await other.disconnect()
})
