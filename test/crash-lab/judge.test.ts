// A judge that never finds anything proves nothing: one sound history, and each way in which it could have been unsound.

import { expect, test } from 'vitest'
import { documentOf, idOf } from './documents.ts'
import type { Happened, Logged } from './history.ts'
import { Judge } from './judge.ts'

const log = (topic: string, records: readonly Logged[], to: number, from = 0): Happened => ({
  t: 'log',
  topic,
  partition: 0,
  from,
  to,
  records,
  markers: [],
})
const plainly = (offset: number, id: string): Logged => [offset, id, -1, '']
const sent = (call: number, producer: string, from: number, count: number, topic = 'idem'): Happened => ({
  t: 'sent',
  call,
  producer,
  topic,
  partition: 0,
  from,
  count,
})
const acked = (call: number, ...offsets: number[]): Happened => ({ t: 'acked', call, offsets })
const audit = (n = 1, whole = false): Happened => ({ t: 'audit', n, whole })
const audited = (n = 1): Happened => ({ t: 'audited', n })

function judged(...history: Happened[]): readonly string[] {
  const judge = new Judge()
  for (const happened of history) judge.take(happened)
  return judge.found
}

const two = [plainly(0, 'idem.a#0'), plainly(1, 'idem.a#1')]

test('a sound history has nothing wrong in it', () => {
  const history = [sent(1, 'idem.a', 0, 2), acked(1, 0, 1), audit(), log('idem', two, 2), audited()]
  expect(judged(...history)).toEqual([])
})

test('a document that was changed in one byte is not taken for one', () => {
  const bytes = documentOf('rev.a#7')
  expect(idOf(bytes)).toBe('rev.a#7')
  bytes[bytes.length - 5]! ^= 1
  expect(idOf(bytes)).toMatch(/^!/)
  expect(judged(audit(), log('rev', [plainly(0, idOf(bytes))], 1), audited())).toHaveLength(1)
})

test.each<[string, Happened[], RegExp]>([
  [
    'an acknowledged record that is not there',
    [sent(1, 'idem.a', 0, 2), acked(1, 0, 1), audit(), log('idem', two.slice(0, 1), 2), audited()],
    /acknowledged and is not in/,
  ],
  [
    'an acknowledged record at another offset',
    [sent(1, 'plain.a', 0, 1), acked(1, 5), audit(), log('idem', [plainly(0, 'plain.a#0')], 6), audited()],
    /acknowledged at offset 5/,
  ],
  ['a record twice', [audit(), log('idem', [...two, plainly(2, 'idem.a#1')], 3), audited()], /is there twice/],
  [
    'records of a producer in another order',
    [audit(), log('idem', [plainly(0, 'idem.a#1'), plainly(1, 'idem.a#0')], 2), audited()],
    /which was sent after it/,
  ],
  [
    'an offset at which something else stood before',
    [
      audit(),
      log('idem', two, 2),
      audited(),
      audit(2),
      log('idem', [plainly(0, 'idem.a#0'), plainly(1, 'idem.b#0')], 2),
    ],
    /had idem.a#1 at offset 1/,
  ],
  [
    'a record that is gone when all is read again',
    [audit(), log('idem', two, 2), audited(), audit(2), log('idem', two.slice(0, 1), 2)],
    /had 2 records/,
  ],
  [
    'a log that is shorter than it was',
    [audit(), log('idem', two, 2), audited(), audit(2), log('idem', two.slice(0, 1), 1)],
    /ended at 2 once/,
  ],
  ['a folder that is not clean', [{ t: 'check', n: 3, clean: false, said: 'damage' }], /after kill 3/],
])('%s is found out', (_, history, word) => {
  const found = judged(...history)
  expect(found.join('\n')).toMatch(word)
})

const ending = (txn: string, offset: number): Happened => ({
  t: 'ending',
  txn,
  count: 2,
  group: 'progress-a',
  topic: 'txn-a',
  partition: 0,
  offset,
})
const ended = (txn: string, outcome: 'committed' | 'aborted' | 'unknown'): Happened => ({ t: 'ended', txn, outcome })
/** A record of a transaction in each of two topics, and markers as they are given. */
const bothLogs = (txn: string, a: boolean | undefined, b: boolean | undefined): Happened[] =>
  [a, b].map((isCommit, i) => ({
    t: 'log',
    topic: i === 0 ? 'txn-a' : 'txn-b',
    partition: 0,
    from: 0,
    to: isCommit === undefined ? 1 : 2,
    records: [[0, `${txn}#${i}`, 7, '']],
    markers: isCommit === undefined ? [] : [[1, 7, isCommit]],
  }))
const progress = (offset: number): Happened => ({
  t: 'offset',
  group: 'progress-a',
  topic: 'txn-a',
  partition: 0,
  offset,
})

test.each<[string, Happened[], RegExp | undefined]>([
  [
    'committed and whole',
    [ended('txn.a', 'committed'), audit(), ...bothLogs('txn.a', true, true), progress(1)],
    undefined,
  ],
  [
    'committed by half',
    [ended('txn.a', 'committed'), audit(), ...bothLogs('txn.a', true, false)],
    /of which 1 are there/,
  ],
  [
    'committed, and open still',
    [ended('txn.a', 'committed'), audit(), ...bothLogs('txn.a', true, undefined), audited(), audit()],
    /of which 1/,
  ],
  ['aborted, and there', [ended('txn.a', 'aborted'), audit(), ...bothLogs('txn.a', true, true)], /never committed/],
  ['of unknown end, and there', [ended('txn.a', 'unknown'), audit(), ...bothLogs('txn.a', true, true)], undefined],
  [
    'of unknown end, by half',
    [ended('txn.a', 'unknown'), audit(), ...bothLogs('txn.a', true, false)],
    /1 records are there and 1/,
  ],
  [
    'without its progress',
    [ended('txn.a', 'committed'), audit(), ...bothLogs('txn.a', true, true), progress(0)],
    /lies between 1/,
  ],
])('a transaction %s', (_, history, word) => {
  const found = judged(ending('txn.a', 1), ...history, audited())
  if (word === undefined) expect(found).toEqual([])
  else expect(found.join('\n')).toMatch(word)
})

const ofGroup = { group: 'all-a', topic: 'idem', partition: 0 }
const read = (...records: (readonly [number, string])[]): Happened => ({ t: 'read', ...ofGroup, reader: 'r', records })
const committed = (offset: number): Happened[] => [
  { t: 'commit', ...ofGroup, offset },
  { t: 'committed', ...ofGroup, offset },
]
const offset = (at: number): Happened => ({ t: 'offset', ...ofGroup, offset: at })
const drained: Happened = { t: 'drained', groups: ['all-a'], shares: [] }

test.each<[string, Happened[], RegExp]>([
  ['a committed offset that went back', [...committed(2), audit(), offset(1)], /and 2 was committed before/],
  ['an offset that nobody committed', [...committed(2), audit(), offset(3)], /nobody has committed more/],
  [
    'a record that was read and is another',
    [read([0, 'idem.x#0']), audit(), log('idem', two, 2), audited()],
    /read idem.x#0 at 0/,
  ],
  [
    'a record that nobody read',
    [read([0, 'idem.a#0']), audit(), log('idem', two, 2), audited(), drained],
    /never read 1 records/,
  ],
])('of a group %s is found out', (_, history, word) => {
  expect(judged(...history).join('\n')).toMatch(word)
})

test('what a share group has accepted may not be accepted again', () => {
  const given = { t: 'given', group: 'workers', member: 'm', topic: 'work', partition: 0, offsets: [3] } as const
  const accepted = { ...given, t: 'accepted' } as const
  expect(judged(given, accepted, given)).toEqual([])
  expect(judged(given, accepted, given, accepted).join('\n')).toMatch(/has accepted 3 of work-0 twice/)
})

test('a record of which nobody knows whether it was accepted is no record left over, until it is given to somebody again', () => {
  const told = { group: 'workers', member: 'm', topic: 'idem', partition: 0, offsets: [0] } as const
  const given = { t: 'given', ...told } as const
  const left = [audit(), log('idem', two.slice(0, 1), 1), audited()]
  const over = { t: 'drained', groups: [], shares: ['workers'] } as const
  expect(judged(given, ...left, over).join('\n')).toMatch(/all of idem-0 but 1, the one at 0 first/)
  expect(judged(given, { t: 'accepting', ...told }, ...left, over)).toEqual([])
  expect(judged(given, { t: 'accepting', ...told }, given, ...left, over).join('\n')).toMatch(/but 1/)
})

test('a revision without its number is found out', () => {
  const revisions = (second: number): Happened => ({
    t: 'revisions',
    topic: 'rev-history',
    of: 'idem',
    partition: 0,
    records: [
      [0, 'k', 1, 'idem.a#0'],
      [1, 'k', second, 'idem.a#1'],
    ],
  })
  expect(judged(audit(), log('idem', two, 2), audited(), revisions(2))).toEqual([])
  expect(judged(audit(), log('idem', two, 2), audited(), revisions(3)).join('\n')).toMatch(/revision 3 where 2 is due/)
})

const done = (type: string, id: string, more: object = {}): Happened => ({
  t: 'event',
  offset: 0,
  event: { type, id, status: type === 'merge' ? 'committed' : 'done', ...more },
})
const command = (op: string, id: string, from: string): Happened => ({ t: 'command', id, op, topic: 'keyed', from })
const over: Happened = { t: 'drained', groups: [], shares: [] }

test('a fork that lacks what was acknowledged before, or shows other records than its parent, is found out', () => {
  const before = [sent(1, 'keyed.a', 0, 2, 'keyed'), acked(1, 0, 1), command('fork', 'f', 'keyed')]
  const fork = (to: number) => {
    const topics = [{ from: 'keyed', into: 'keyed--b', partitions: [{ partition: 0, to }] }]
    return done('fork', 'f', { topics })
  }
  const parent = log('keyed', [plainly(0, 'keyed.a#0'), plainly(1, 'keyed.a#1')], 2)
  const branch = (id: string) => log('keyed--b', [plainly(0, 'keyed.a#0'), plainly(1, id)], 2)
  expect(judged(...before, audit(), fork(2), parent, branch('keyed.a#1'), audited(), over)).toEqual([])
  expect(judged(...before, audit(), fork(1)).join('\n')).toMatch(/was cut at 1, and 2 was acknowledged/)
  expect(judged(...before, audit(), fork(2), parent, branch('keyed.b#1')).join('\n')).toMatch(
    /where its parent has keyed.a#1/,
  )
})

test('a merge that took place by half, or twice, or of which nobody was told, is found out', () => {
  const before = [sent(1, 'own.b', 0, 2, 'keyed--b'), acked(1, 0, 1), command('merge', 'm', 'keyed--b')]
  const merged = done('merge', 'm', { counts: { written: 2 } })
  const target = (...ids: string[]) =>
    log(
      'keyed',
      ids.map((id, i): Logged => [i, id, -1, 'm']),
      ids.length,
    )
  const own = log('keyed--b', [plainly(0, 'own.b#0'), plainly(1, 'own.b#1')], 2)
  const look = (...rest: Happened[]) => judged(...before, audit(), ...rest, own, audited(), over).join('\n')
  expect(look(merged, target('own.b#0', 'own.b#1'))).toBe('')
  expect(look(merged, target('own.b#0'))).toMatch(/tells of 2 records, and 1 are there/)
  expect(look(merged, target('own.b#0', 'own.b#0'))).toMatch(/which has brought it 2 times/)
  expect(look(target('own.b#0'))).toMatch(/nobody was told of it/)
  expect(look(merged, target('own.b#0', 'own.b#1'), { ...merged, offset: 1 } as Happened)).toMatch(/two results/)
  expect(judged(command('merge', 'm', 'keyed--b'), { t: 'commanded', id: 'm' }, over).join('\n')).toMatch(
    /has no result/,
  )
})
