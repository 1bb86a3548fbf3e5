// Each way in which a history of branches could have been unsound is found out by the judge.

import { expect, test } from 'vitest'
import type { Happened, Logged } from './history.ts'
import { acked, audit, audited, drainedOf, judged, log, plainly, sent } from './telling.ts'

const done = (type: string, id: string, more: object = {}): Happened => ({
  t: 'event',
  offset: 0,
  event: { type, id, status: type === 'merge' ? 'committed' : 'done', ...more },
})
const command = (op: string, id: string, from: string): Happened => ({ t: 'command', id, op, topic: 'keyed', from })
const over = drainedOf()

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
  const before = [sent(1, 'own.keyed--b.0', 0, 2, 'keyed--b'), acked(1, 0, 1), command('merge', 'm', 'keyed--b')]
  const merged = done('merge', 'm', { counts: { written: 2 } })
  const target = (...ids: string[]) =>
    log(
      'keyed',
      ids.map((id, i): Logged => [i, id, -1, 'm']),
      ids.length,
    )
  const own = log('keyed--b', [plainly(0, 'own.keyed--b.0#0'), plainly(1, 'own.keyed--b.0#1')], 2)
  const look = (...rest: Happened[]) => judged(...before, audit(), ...rest, own, audited(), over).join('\n')
  expect(look(merged, target('own.keyed--b.0#0', 'own.keyed--b.0#1'))).toBe('')
  expect(look(merged, target('own.keyed--b.0#0'))).toMatch(/tells of 2 records, and 1 are there/)
  expect(look(merged, target('own.keyed--b.0#0', 'own.keyed--b.0#0'))).toMatch(/which has brought it 2 times/)
  expect(look(target('own.keyed--b.0#0'))).toMatch(/nobody was told of it/)
  expect(look(merged, target('own.keyed--b.0#0', 'own.keyed--b.0#1'), { ...merged, offset: 1 } as Happened)).toMatch(
    /two results/,
  )
  expect(judged(command('merge', 'm', 'keyed--b'), { t: 'commanded', id: 'm' }, over).join('\n')).toMatch(
    /has no result/,
  )
})

const forked: Happened[] = [
  command('fork', 'f', 'keyed'),
  audit(),
  done('fork', 'f', { topics: [{ from: 'keyed', into: 'keyed--b', partitions: [{ partition: 0, to: 1 }] }] }),
]
const keyed = (offset: number, id: string, key: string, merge = ''): Logged => [offset, id, -1, merge, key, 'rest']
const parentFirst = keyed(0, 'keyed.a#0', 'k0')

test('a branch that is gone without anybody having asked for it is found out', () => {
  const absent: Happened = { t: 'absent', topic: 'keyed--b', partition: 0, error: 'UNKNOWN_TOPIC_OR_PARTITION' }
  const abandon: Happened = { t: 'command', id: 'a', op: 'abandon', topic: 'keyed--b', from: '' }
  expect(judged(...forked, abandon, absent)).toEqual([])
  expect(judged(...forked, absent).join('\n')).toMatch(/keyed--b-0 cannot be read, and nobody has asked/)
})

test('a branch whose own records are there twice or in another order, or that shows its parent another time, is found out', () => {
  const parent = log('keyed', [parentFirst], 1)
  const branch = (...own: string[]) =>
    log('keyed--b', [parentFirst, ...own.map((id, i) => keyed(1 + i, id, 'k'))], 1 + own.length)
  const look = (of: Happened) => judged(...forked, parent, of, audited()).join('\n')
  expect(look(branch('own.keyed--b.0#0', 'both.keyed--b.0#0', 'own.keyed--b.2#0'))).toBe('')
  expect(look(branch('own.keyed--b.0#0', 'own.keyed--b.0#0'))).toMatch(/twice, at 1 and 2/)
  expect(look(branch('both.keyed--b.0#0', 'own.keyed--b.0#1'))).toMatch(/behind what was sent after it/)
  expect(look(log('keyed--b', [[0, 'keyed.a#0', -1, '', 'k0', 'other']], 1))).toMatch(/than its parent/)
})

test('a merge that brings another value than the newest, or not each in turn, and a revert that puts back another, are found out', () => {
  const branch = log('keyed--b', [parentFirst, keyed(1, 'both.b.0#0', 'k0'), keyed(2, 'both.b.2#0', 'k0')], 3)
  const merged = (strategy: string): Happened => {
    const topics = [{ from: 'keyed--b', into: 'keyed', partitions: [{ partition: 0, from: 1, to: 3 }] }]
    return {
      ...done('merge', 'm', { strategy, topics, counts: { written: strategy === 'replay' ? 2 : 1 } }),
      offset: 1,
    } as Happened
  }
  const look = (strategy: string, brought: string[], ...rest: Happened[]) => {
    const target = [parentFirst, ...brought.map((id, i) => keyed(1 + i, id, 'k0', 'm'))]
    const parent = log('keyed', target, target.length)
    const asked = command('merge', 'm', 'keyed--b')
    return judged(...forked, asked, merged(strategy), parent, branch, ...rest, audited(), over).join('\n')
  }
  expect(look('three-way', ['both.b.2#0'])).toBe('')
  expect(look('three-way', ['both.b.0#0'])).toMatch(/has brought both.b.0#0 to keyed-0, where both.b.2#0 was due/)
  expect(look('replay', ['both.b.0#0', 'both.b.2#0'])).toBe('')
  expect(look('replay', ['both.b.2#0', 'both.b.0#0'])).toMatch(/\(replay\) has brought/)

  const revert = (id: string, since: Logged[] = []): Happened[] => {
    const topics = [{ into: 'keyed', partitions: [{ partition: 0, first: 2 + since.length, last: 2 + since.length }] }]
    const told = { type: 'revert', id: 'v', status: 'committed', counts: { written: 1 }, topics }
    const put = [...since, keyed(2 + since.length, id, 'k0', 'v')]
    return [
      { t: 'command', id: 'v', op: 'revert', topic: 'keyed', from: '', of: 'm' },
      { t: 'event', offset: 2, event: told },
      log('keyed', put, 2 + put.length, 2),
    ]
  }
  expect(look('three-way', ['both.b.2#0'], ...revert('keyed.a#0'))).toBe('')
  expect(look('three-way', ['both.b.2#0'], ...revert('~'))).toMatch(
    /v has put ~ into keyed-0 for k0, where keyed.a#0 was due/,
  )
  expect(look('three-way', ['both.b.2#0'], ...revert('keyed.a#0', [keyed(2, 'keyed.a#1', 'k0')]))).toMatch(
    /where {2}was due/,
  )
})

test('an event that is another when it is read again, or is gone, is found out', () => {
  const [first, other] = [done('fork', 'f'), { ...done('fork', 'g'), offset: 1 } as Happened]
  const once = [audit(), first, other, audited(), audit(2, true)]
  expect(judged(...once, first, other, audited(2))).toEqual([])
  expect(judged(...once, first, { ...done('fork', 'h'), offset: 1 } as Happened, audited(2)).join('\n')).toMatch(
    /the event at 1 was/,
  )
  expect(judged(...once, first, audited(2)).join('\n')).toMatch(/2 events were told, and there are 1 now/)
})
