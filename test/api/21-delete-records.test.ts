// DeleteRecords: the log start moves up, never down, and never beyond what can be read.

import { expect, test } from 'vitest'
import { offsetCommit } from '../../protocol/messages/08-offset-commit.ts'
import { deleteRecords } from '../../protocol/messages/21-delete-records.ts'
import { errorOf, Line } from './line.ts'

const timeoutMs = 1000

async function filled(config = {}): Promise<Line> {
  const line = await Line.open([{ name: 't', partitions: 2, config }])
  await line.append('t', 0, ['a', 'b', 'c', 'd'])
  return line
}

/** The new log start, or the error. */
async function cut(line: Line, offset: number, { name = 't', index = 0, version = 2 } = {}) {
  const topics = [{ name, partitions: [{ partitionIndex: index, offset }] }]
  const one = (await line.ask(deleteRecords, version, { topics, timeoutMs })).topics[0]!.partitions[0]!
  expect(one.lowWatermark === -1).toBe(one.errorCode !== 0)
  return one.errorCode === 0 ? one.lowWatermark : errorOf(one)
}

test.each([0, 1, 2])('v%i: the start moves up and not back; -1 takes all', async (version) => {
  await using line = await filled()
  const steps = []
  for (const offset of [0, 1, 1, 3, 2, 4]) steps.push(await cut(line, offset, { version }))
  expect(steps).toEqual([0, 1, 1, 3, 3, 4])
  await line.append('t', 0, ['e'])
  expect(await cut(line, -1, { version })).toBe(5)
})

test.each([5, 2 ** 53, -2, -100])('%i is out of range', async (offset) => {
  await using line = await filled()
  expect(await cut(line, offset)).toBe('OFFSET_OUT_OF_RANGE')
  expect(await cut(line, 0)).toBe(0)
})

test('an empty partition can be cut at its end, which is 0', async () => {
  await using line = await filled()
  expect([await cut(line, -1, { index: 1 }), await cut(line, 0, { index: 1 })]).toEqual([0, 0])
  expect(await cut(line, 1, { index: 1 })).toBe('OFFSET_OUT_OF_RANGE')
})

test('the broker’s own topics are no topics to cut', async () => {
  await using line = await filled()
  const partitions = [{ partitionIndex: 0, committedOffset: 1, committedMetadata: '' }]
  await line.ask(offsetCommit, 8, { groupId: 'g', memberId: '', topics: [{ name: 't', partitions }] })
  expect(await cut(line, 0, { name: '__consumer_offsets' })).toBe('INVALID_TOPIC_EXCEPTION')
})

test('a compacted topic keeps what it has, unless it also deletes', async () => {
  await using compacted = await Line.open([{ name: 't', config: { 'cleanup.policy': 'compact' } }])
  expect([await cut(compacted, 0), await cut(compacted, 99)]).toEqual(['POLICY_VIOLATION', 'POLICY_VIOLATION'])
  await using both = await filled({ 'cleanup.policy': 'compact,delete' })
  await both.append('t', 0, ['x'])
  expect(await cut(both, 1)).toBe(1)
})

test('what is not there is unknown, each in its place', async () => {
  await using line = await filled()
  const partitions = [7, 0, -1].map((partitionIndex) => ({ partitionIndex, offset: 0 }))
  const topics = [
    { name: 'none', partitions },
    { name: 't', partitions },
    { name: 'a/b', partitions: [] },
  ]
  const answer = await line.ask(deleteRecords, 2, { topics, timeoutMs })
  const unknown = 'UNKNOWN_TOPIC_OR_PARTITION'
  expect(answer.topics.map(({ name, partitions: of }) => [name, of.map(errorOf)])).toEqual([
    ['none', [unknown, unknown, unknown]],
    ['t', [unknown, 'NONE', unknown]],
    ['a/b', []],
  ])
})

test('a large log of revisions is counted beside everything else, and numbers go on behind it', async () => {
  await using line = await Line.open([
    { name: 'docs', config: { 'revision.diff': 'true', 'segment.bytes': '1048576' } },
  ])
  for (let i = 0; i < 30; i++) {
    await line.append(
      'docs',
      0,
      Array.from({ length: 200 }, (_, key) => ({ key: `${key}`, value: 'v'.repeat(500) })),
    )
  }
  const other = await line.another()
  const answered: string[] = []
  const topics = [{ name: 'docs', partitions: [{ partitionIndex: 0, offset: 5800 }] }]
  const cutting = line.ask(deleteRecords, 2, { topics, timeoutMs }).then((answer) => {
    answered.push('cut')
    return answer
  })
  for (let i = 0; i < 3; i++) {
    await other.ask(deleteRecords, 2, { topics: [{ name: 'none', partitions: [] }], timeoutMs })
    answered.push('other')
  }
  expect((await cutting).topics[0]!.partitions[0]).toMatchObject({ errorCode: 0, lowWatermark: 5800 })
  expect(answered.indexOf('cut')).toBeGreaterThan(0)
})
