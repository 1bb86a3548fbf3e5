// `twiglog check` on what the metadata log says of promotions, listeners and merges under way, and on partitions of which all files
// are gone: each kind of fault is put into a folder that a broker has left.

import { beforeAll, describe, expect, test } from 'vitest'
import { encodeBatch } from '../../protocol/records/builder.ts'
import type { MergeBeginRecord } from '../../src/branch/merge-records.ts'
import { MetadataLog, type MetadataRecord } from '../../src/broker/metadata-log.ts'
import { checkStore } from '../../src/cli/check.ts'
import { offsetRecord } from '../../src/group/records.ts'
import { Log } from '../../src/log/log.ts'
import { systemClock } from '../../src/storage/clock.ts'
import { FaultyStore } from '../../src/storage/faulty-file.ts'
import { Rooms } from '../branch/merge-rooms.ts'
import { smallConfig } from './log-environment.ts'

const original = new FaultyStore()
const ids = new Map<string, string>()
const idOf = (name: string): string => ids.get(name)!

beforeAll(async () => {
  const rooms = await Rooms.open(original)
  const { broker } = rooms
  const command = async (line: { id: string; op: string; [name: string]: unknown }) => {
    await rooms.command(line)
    await rooms.told(line.id, 1)
    expect(rooms.results(line.id)).toMatchObject([{ status: expect.stringMatching(/^(done|committed)$/) }])
  }
  await broker.createTopics(['orders', 'stock', 'prices'].map((name) => ({ name, partitions: 1, configs: {} })))
  for (const topic of ['orders', 'stock', 'prices']) {
    rooms.write(topic, 0, [
      ['a', '1'],
      ['b', '1'],
    ])
  }
  await command({ op: 'fork', id: 'f1', from: 'orders', to: 'orders--try', set: 'try' })
  rooms.write('orders--try', 0, [['a', '2']])
  await command({ op: 'merge', id: 'm1', from: 'orders--try', into: 'orders' })
  await command({ op: 'fork', id: 'f2', from: 'stock', to: 'stock--try' })
  rooms.write('stock--try', 0, [['a', '2']])
  await command({ op: 'promote', id: 'u1', branch: 'stock--try', keep: 'stock--old' })
  await command({ op: 'fork', id: 'f3', from: 'prices', to: 'prices--never' })
  await command({ op: 'fork', id: 'f4', from: 'prices', to: 'prices--cut' })
  rooms.write('prices--never', 0, [['a', '2']])
  for (const { id, name } of broker.topics()) ids.set(name, id)
  await rooms.stop()
})

/** The same folder, with what a process has left that was killed. */
const copied = (): FaultyStore => original.after('kill')

async function told(store: FaultyStore, ...records: MetadataRecord[]): Promise<void> {
  const log = new MetadataLog(store, systemClock)
  await log.commit(records)
  await log.close()
}

const findingsOf = (store: FaultyStore, kind: 'damage' | 'note'): string =>
  checkStore(store)
    .findings.filter((finding) => finding.kind === kind)
    .map(({ message }) => message)
    .join('\n')

const begin = (change: Partial<MergeBeginRecord> = {}): MergeBeginRecord => ({
  v: 1,
  type: 'merge-begin',
  id: 'm9',
  at: 1,
  by: 'User:test',
  op: 'merge',
  status: 'committed',
  producerId: 0,
  producerEpoch: 0,
  counts: { written: 1, same: 0, skipped: 0, conflicts: 0 },
  topics: [
    {
      from: 'prices--never',
      fromId: idOf('prices--never'),
      into: 'prices',
      intoId: idOf('prices'),
      partitions: [{ partition: 0, from: 2, to: 2, known: {}, end: 2 }],
    },
  ],
  ...change,
})

const into = (change: object, partition: object = {}): Partial<MergeBeginRecord> => ({
  topics: begin().topics.map((topic) => ({
    ...topic,
    partitions: topic.partitions.map((one) => ({ ...one, ...partition })),
    ...change,
  })),
})

describe('the metadata log', () => {
  test('has no finding as a broker leaves it that is stopped, after a snapshot too', async () => {
    const store = copied()
    expect(checkStore(store).findings).toEqual([])
    const log = new MetadataLog(store, systemClock)
    await log.snapshot()
    await log.close()
    expect(checkStore(store).findings).toEqual([])
  })

  type Lie = [what: string, record: () => MetadataRecord, message: RegExp]
  const lies: Lie[] = [
    [
      'the end of a promotion that never began',
      () => ({ v: 1, type: 'promoted', id: 'u9' }),
      /promotion u9 is told to be over, and none of that id has begun; compare/,
    ],
    [
      'the end of a promotion for the second time',
      () => ({ v: 1, type: 'promoted', id: 'u1' }),
      /promotion u1 is told to be over/,
    ],
    [
      'a promotion of a topic that is not there',
      () => promote({ id: 'nowhere', name: 'orders', was: 'x' }),
      /promotion u9 names orders, whose topic nowhere is not there/,
    ],
    [
      'a promotion that gave another name',
      () => promote({ id: idOf('orders--try'), name: 'orders', was: 'orders--try' }),
      /promotion u9 names orders, which is called orders--try/,
    ],
    [
      'a promotion that gave what it took the place of another name',
      () => promote({ id: idOf('orders'), name: 'orders', was: 'x', over: { id: idOf('prices'), name: 'y' } }),
      /promotion u9 names y, which is called prices/,
    ],
    [
      'a successor of a topic that is not there',
      () => ({ v: 1, type: 'successor', id: 'nowhere', by: idOf('orders--try') }),
      /orders--try is told to have the name of topic nowhere, which is not there/,
    ],
    [
      'a successor of a topic that has its name still',
      () => ({ v: 1, type: 'successor', id: idOf('orders'), by: idOf('orders--try') }),
      /orders--try is told to have the name of orders, which never gave it up/,
    ],
    [
      'a successor of its own successor',
      () => ({ v: 1, type: 'successor', id: idOf('stock'), by: idOf('stock--old') }),
      /stock is told to have its own name from itself/,
    ],
    [
      'a standing of a topic that is not there',
      () => ({ v: 1, type: 'standing', id: 'nowhere', standsForItself: true }),
      /topic nowhere is told to stand for itself, and is not there/,
    ],
    [
      'a branch that stands for itself and was never promoted',
      () => ({ v: 1, type: 'standing', id: idOf('orders--try'), standsForItself: true }),
      /orders--try, a branch and never promoted, is told to stand for itself/,
    ],
    [
      'a topic that is no branch and stands for another',
      () => ({ v: 1, type: 'standing', id: idOf('orders'), standsForItself: false }),
      /orders, none of a fork and never promoted, is told to stand for another/,
    ],
    [
      'a listener of a set that is not there',
      () => ({ v: 1, type: 'set-listener', set: 'gone', ports: [9192] }),
      /set gone has a listener at 9192, and is not there/,
    ],
    [
      'a listener at a port that is none',
      () => ({ v: 1, type: 'set-listener', set: 'try', ports: [65_536] }),
      /the listener of set try has port 65536, which is none; `twiglog branch serve try --port N`/,
    ],
    [
      'a listener with one port for two nodes',
      () => ({ v: 1, type: 'set-listener', set: 'try', ports: [9192, 9192] }),
      /the listener of set try has ports \[9192, 9192\], not one for each node/,
    ],
    [
      'a merge given up that never began',
      () => ({ v: 1, type: 'merge-aborted', id: 'm9' }),
      /merge m9 is told to be given up, and none of that id has begun/,
    ],
    [
      'a merge that begins into a topic that is not there',
      () => begin(into({ intoId: 'nowhere' })),
      /merge m9 has begun into prices, whose topic nowhere is not there/,
    ],
    [
      'a merge that begins into a partition that is not there',
      () => begin(into({}, { partition: 7 })),
      /merge m9 has begun with offsets that cannot be \(prices-7\)/,
    ],
    [
      'a merge that begins with a range that cannot be',
      () => begin(into({}, { from: 3, to: 2 })),
      /merge m9 has begun with offsets that cannot be/,
    ],
    [
      'a merge that begins once more when it is over',
      () => begin({ id: 'm1' }),
      /merge m1 has begun after it was over/,
    ],
    [
      'a merge by a producer that nobody is',
      () => begin({ producerId: 1_000_000 }),
      /merge m9 is written by producer 1000000, an id that was never given out/,
    ],
    [
      'a merge that began at an end that the target does not have',
      () => begin(into({}, { end: 40 })),
      /merge m9 began when it ended at offset 40, but records end at 2 \(prices-0\)/,
    ],
  ]
  const promote = (topic: (MetadataRecord & { type: 'promote' })['topics'][0]): MetadataRecord => ({
    v: 1,
    type: 'promote',
    id: 'u9',
    at: 1,
    by: 'User:test',
    topics: [topic],
    commits: [],
  })

  test.each(lies)('%s is found', async (_, record, message) => {
    const store = copied()
    await told(store, record())
    expect(findingsOf(store, 'damage')).toMatch(message)
  })

  test('a merge that a kill has interrupted is only noted', async () => {
    const store = copied()
    await told(store, begin())
    expect(checkStore(store).findings).toEqual([
      { kind: 'note', file: 'metadata', message: 'merge m9 has begun and is not over; the next start ends it' },
    ])
  })

  test('a merge into a topic that was deleted meanwhile is only noted', async () => {
    const store = copied()
    await told(store, { v: 1, type: 'topic-removed', id: idOf('prices') }, begin())
    expect(findingsOf(store, 'damage')).toBe('')
    expect(findingsOf(store, 'note')).toContain('merge m9 has begun and is not over')
  })
})

describe('a partition without its files', () => {
  /** `place`: below `topics/`, a folder that vanishes with all in it. */
  const without = (name: string, store = copied()): FaultyStore => {
    const folder = `topics/${idOf(name)}/0`
    for (const file of store.list(folder)) store.remove(`${folder}/${file}`)
    return store
  }

  const losses: [name: string, message: RegExp][] = [
    [
      'orders--try',
      /merge m1 read up to offset 2 of it, but records end at 2 \(orders--try-0\); those that were acknow/,
    ],
    ['orders', /merge m1 wrote up to offset \d, but records end at 0 \(orders-0\); .* gone: put this folder of a copy/],
    [
      'prices',
      /prices--\w+ was forked of it at offset 2, but records end at 0 \(prices-0\); .* or fork prices--\w+, which/,
    ],
    ['stock', /a promotion gave it its name when it ended at offset 3, but records end at 2 \(stock-0\)/],
    ['__branch_commands', /fork f4 was commanded at its offset 5, but records end at 0 \(__branch_commands-0\)/],
  ]
  test.each(losses)('that others have seen more of is damage: %s', (name, message) => {
    const store = without(name)
    const [finding, ...more] = checkStore(store).findings.filter(({ kind }) => kind === 'damage')
    expect(finding).toMatchObject({ file: `topics/${idOf(name)}/0`, message: expect.stringMatching(message) })
    expect(more).toEqual([])
  })

  test('that a power cut explains is only noted', () => {
    const store = without(
      'prices',
      original.after('power cut', 0, () => true),
    )
    const { findings } = checkStore(store)
    expect(findings.filter(({ kind }) => kind === 'damage')).toEqual([])
    expect(findings).toContainEqual({
      kind: 'note',
      file: `topics/${idOf('prices')}/0`,
      message: expect.stringMatching(
        /was forked of it at offset 2, but records end at 0 \(prices-0\); they are gone, unless/,
      ),
    })
  })

  test('that nobody has seen anything of looks as if it had never been written', () => {
    expect(checkStore(without('prices--never')).findings).toEqual([])
  })

  test('in which a group has come further than the records do is noted', async () => {
    const store = copied()
    const commit = { leaderEpoch: 0, metadata: '', commitAt: 1, expireAt: null, topicId: idOf('prices--never') }
    const records = ['g', 'h'].map((group, i) => offsetRecord(group, 'prices--never', 0, { ...commit, offset: 3 + i }))
    await committed(store, records)
    expect(checkStore(store).findings).toEqual([
      {
        kind: 'note',
        file: `topics/${idOf('prices--never')}/0`,
        message: expect.stringMatching(
          /^group h has committed offset 4, but records end at 3 \(prices--never-0\); they are/,
        ),
      },
    ])
  })
  test('of commits is damaged by a record that is none', async () => {
    const store = copied()
    await committed(store, [{ key: Buffer.from([0]), value: Buffer.from([1]) }])
    expect(findingsOf(store, 'damage')).toBe('the record at offset 0 is nothing that groups remember')
  })

  /** Records of a topic in which groups are remembered. */
  async function committed(store: FaultyStore, records: { key: Buffer; value: Buffer | null }[]): Promise<void> {
    const topic = { id: 'offsets', name: '__consumer_offsets', partitions: 1, configs: {}, at: 1 }
    await told(store, { v: 1, type: 'topic', ...topic })
    const log = new Log(store, 'topics/offsets/0', smallConfig)
    log.appendOwn(encodeBatch({ records }), { leaderEpoch: 0, now: 1 })
    await log.close()
  }
})
