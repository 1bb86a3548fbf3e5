// A judge that never finds anything proves nothing: one sound history, and each way in which it could have been unsound.

import { expect, test } from 'vitest'
import { documentOf, idOf } from './documents.ts'
import type { Happened, Logged } from './history.ts'
import { acked, audit, audited, drainedOf, judged, log, plainly, sent, unknown } from './telling.ts'

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
  [
    'a record whose key, time or headers are others than before',
    [
      audit(),
      log('idem', [[0, 'idem.a#0', -1, '', 'k', 'as sent']], 1),
      audited(),
      audit(2, true),
      log('idem', [[0, 'idem.a#0', -1, '', 'k', 'changed']], 1),
    ],
    /another key, time or headers/,
  ],
  [
    'a marker that is gone when all is read again',
    [
      audit(),
      { ...log('txn-a', [], 2), markers: [[1, 7, true]] } as Happened,
      audited(),
      audit(2, true),
      log('txn-a', [], 2),
    ],
    /had 1 markers/,
  ],
  [
    'a batch of which a part is there',
    [
      { ...sent(1, 'idem.a', 0, 2), isBatch: true } as Happened,
      unknown(1),
      audit(),
      log('idem', two.slice(0, 1), 1),
      audited(),
      drainedOf(),
    ],
    /of the batch of idem.a#0 1 records/,
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

test('transactions of one producer that stand in another order than they were made are found out', () => {
  const inOrder = (...ids: string[]) =>
    judged(
      log(
        'txn-a',
        ids.map((id, i): Logged => [i, id, 7, '']),
        ids.length,
      ),
    ).join('\n')
  expect(inOrder('txn.a.1#0', 'txn.b.1#0', 'txn.a.1#1', 'txn.a.2#0')).toBe('')
  expect(inOrder('txn.a.1#1', 'txn.a.1#0')).toMatch(/stands behind #1 of transaction 1/)
  expect(inOrder('txn.a.3.12#1', 'txn.a.2.11#0')).toMatch(/stands behind #1 of transaction 12/)
})

test('who reads committed records alone and is kept before the end by a transaction that nobody ends is found out', () => {
  const stable = (to: number): Happened => ({
    t: 'stable',
    topic: 'txn-a',
    partition: 0,
    to,
    records: to === 0 ? [] : [[0, 'txn.a.1#0']],
  })
  const committed = bothLogs('txn.a.1', true, true)[0]!
  const open = bothLogs('txn.a.1', undefined, undefined)[0]!
  expect(judged(committed, stable(2))).toEqual([])
  expect(judged(open, stable(0)).join('\n')).toMatch(/ends at 1, and who reads committed records comes to 0/)
})

test('a fork at one cut that shows a part of a transaction, lacks one that was committed, or shows another cut later is found out', () => {
  const cutting: Happened = { t: 'cutting', set: 'x' }
  const cut = (...ids: string[]): Happened => ({ t: 'cut', set: 'x', records: ids.map((id) => `txn.a.${id}`) })
  const look = (...told: Happened[]) =>
    judged(ending('txn.a.1', 1), ended('txn.a.1', 'committed'), cutting, ...told).join('\n')
  const next = ending('txn.a.2', 2)
  expect(look(cut('1#0', '1#1'))).toBe('')
  expect(look(next, cut('1#0', '1#1', '2#0', '2#1'))).toBe('')
  expect(look(next, cut('1#0', '1#1', '2#1'))).toMatch(/shows 1 of the 2 records of txn.a.2/)
  expect(look(cut('1#0', '1#1', '2#0', '2#1'))).toMatch(/which nobody has asked to commit yet/)
  expect(look(cut())).toMatch(/lacks txn.a.1/)
  expect(look(next, cut('1#0', '1#1'), cut('1#0', '1#1', '2#0', '2#1'))).toMatch(/showed 2 records, and shows 4 now/)
  expect(look(next, cut('1#0', '1#1', '2#0', '2#1'), ended('txn.a.2', 'aborted'), drainedOf())).toMatch(
    /was taken back/,
  )
})

const ofGroup = { group: 'all-a', topic: 'idem', partition: 0 }
const read = (...records: (readonly [number, string])[]): Happened => ({ t: 'read', ...ofGroup, reader: 'r', records })
const committed = (offset: number): Happened[] => [
  { t: 'commit', ...ofGroup, offset },
  { t: 'committed', ...ofGroup, offset },
]
const offset = (at: number): Happened => ({ t: 'offset', ...ofGroup, offset: at })
const drained = drainedOf('all-a')

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

test('a reader of committed records who is shown what was taken back, or what nobody had asked to commit yet, is found out', () => {
  const shown: Happened = {
    t: 'read',
    group: 'committed-a',
    reader: 'r',
    topic: 'txn-a',
    partition: 0,
    records: [[0, 'txn.a.1#0']],
  }
  const told = (isCommitted: boolean, ...first: Happened[]) =>
    judged(...first, audit(), ...bothLogs('txn.a.1', isCommitted, isCommitted), audited(), drainedOf('committed-a'))
  expect(told(true, ending('txn.a.1', 1), shown)).toEqual([])
  expect(told(true, shown, ending('txn.a.1', 1)).join('\n')).toMatch(/before txn.a.1 was to end/)
  expect(told(false, ending('txn.a.1', 1), shown).join('\n')).toMatch(/which was taken back/)
})

test('a record that was read and that no log has in the end is found out', () => {
  const history = [read([2, 'idem.x#0']), audit(), log('idem', two, 2), audited()]
  expect(judged(...history)).toEqual([])
  expect(judged(...history, { t: 'over' }).join('\n')).toMatch(/read idem.x#0 at 2 of idem-0, which ends before it/)
})

test('what a share group has accepted may not be accepted again', () => {
  const given = { t: 'given', group: 'workers', member: 'm', topic: 'work', partition: 0, offsets: [3] } as const
  const accepted = { ...given, t: 'accepted' } as const
  expect(judged(given, accepted, given)).toEqual([])
  const byAnother = [given, accepted].map((told) => ({ ...told, member: 'n' }))
  expect(judged(given, accepted, given, accepted)).toEqual([])
  expect(judged(given, accepted, ...byAnother).join('\n')).toMatch(/has accepted 3 of work-0 twice/)
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

test('a view is looked at from where it was read the last time, and what lay behind all that was read of its topic once more', () => {
  const part = (from: number, ...records: readonly (readonly [number, string, number, string])[]): Happened => ({
    t: 'revisions',
    topic: 'rev-history',
    of: 'idem',
    partition: 0,
    from,
    records,
  })
  const [first, second] = [
    [0, 'k', 1, 'idem.a#0'],
    [1, 'k', 2, 'idem.a#1'],
  ] as const
  const one = [audit(), log('idem', two.slice(0, 1), 1), audited()]
  const both = [audit(), log('idem', two.slice(1), 2, 1), audited()]
  expect(judged(...one, part(0, first), ...both, part(1, second))).toEqual([])
  expect(judged(...one, part(0, first, second), ...both, part(1, second))).toEqual([])
  expect(judged(...one, part(0, first), ...both, part(1, [1, 'k', 3, 'idem.a#1'])).join()).toMatch(/3 where 2 is due/)
  expect(judged(...one, part(0, first), ...both, part(1)).join()).toMatch(
    /has 1 records from 1 on, and its view shows 0/,
  )
  expect(judged(...one, part(0, first), ...both, part(0, first, second))).toEqual([])
})
