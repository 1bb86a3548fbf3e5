// DeleteTopics: by name, by id, once.

import { expect, test } from 'vitest'
import { metadata } from '../../protocol/messages/03-metadata.ts'
import { deleteTopics } from '../../protocol/messages/20-delete-topics.ts'
import { zeroUuid } from '../../protocol/schema.ts'
import { errorOf, Line, unknownId } from './line.ts'

const timeoutMs = 1000
type Asked = { name: string | null; topicId?: string }

async function ask(line: Line, version: number, topics: Asked[]) {
  const topicNames = topics.flatMap(({ name }) => (name === null ? [] : [name]))
  return (await line.ask(deleteTopics, version, { topics, topicNames, timeoutMs })).responses
}

async function left(line: Line): Promise<(string | null)[]> {
  return (await line.ask(metadata, 9, { topics: null })).topics.map(({ name }) => name)
}

test.each([1, 3, 4, 5, 6])('v%i: by name, each by itself', async (version) => {
  await using line = await Line.open(['a', 'b', 'c'])
  const answers = await ask(line, version, [{ name: 'a' }, { name: 'none' }, { name: 'a/b' }, { name: 'c' }])
  expect(answers.map((one) => [one.name, errorOf(one)])).toEqual([
    ['a', 'NONE'],
    ['none', 'UNKNOWN_TOPIC_OR_PARTITION'],
    ['a/b', 'UNKNOWN_TOPIC_OR_PARTITION'],
    ['c', 'NONE'],
  ])
  expect(await left(line)).toEqual(['b'])
})

test('by id, and the answer tells the name', async () => {
  await using line = await Line.open(['a', 'b'])
  const topicId = await line.id('a')
  const answers = await ask(line, 6, [
    { name: null, topicId },
    { name: null, topicId: unknownId },
  ])
  expect(answers).toMatchObject([
    { name: 'a', topicId, errorCode: 0, errorMessage: null },
    { name: null, topicId: unknownId, errorCode: 100 },
  ])
  expect((await ask(line, 6, [{ name: null, topicId }])).map(errorOf)).toEqual(['UNKNOWN_TOPIC_ID'])
})

test('a topic with name and id, or with neither, is refused', async () => {
  await using line = await Line.open(['a'])
  const topicId = await line.id('a')
  const answers = await ask(line, 6, [
    { name: 'a', topicId },
    { name: null, topicId: zeroUuid },
  ])
  expect(answers.map(errorOf)).toEqual(['INVALID_REQUEST', 'INVALID_REQUEST'])
  expect(await left(line)).toEqual(['a'])
})

test.each([1, 5, 6])(
  'v%i: a topic that is named twice stays, and is answered once, behind the others',
  async (version) => {
    await using line = await Line.open(['a', 'b'])
    const answers = await ask(line, version, [
      { name: 'a' },
      { name: 'none' },
      { name: 'a' },
      { name: 'b' },
      { name: 'none' },
    ])
    expect(answers.map((one) => [one.name, errorOf(one)])).toEqual([
      ['b', 'NONE'],
      ['a', 'INVALID_REQUEST'],
      ['none', 'INVALID_REQUEST'],
    ])
    expect(await left(line)).toEqual(['a'])
  },
)

test('name and id of one topic are one topic', async () => {
  await using line = await Line.open(['a'])
  const topicId = await line.id('a')
  const answers = await ask(line, 6, [{ name: 'a' }, { name: null, topicId }])
  expect(answers).toMatchObject([{ name: 'a', topicId, errorCode: 42 }])
  expect(await left(line)).toEqual(['a'])
})

test('a topic that is made again has another id', async () => {
  await using line = await Line.open(['a'])
  const first = await line.id('a')
  await ask(line, 6, [{ name: 'a' }])
  await line.broker.createTopics(['a'])
  expect(await line.id('a')).not.toBe(first)
})

test('where topics cannot be deleted, none is', async () => {
  await using line = await Line.open(['a'], { 'delete.topic.enable': false })
  for (const [version, error] of [
    [2, 'INVALID_REQUEST'],
    [3, 'TOPIC_DELETION_DISABLED'],
    [6, 'TOPIC_DELETION_DISABLED'],
  ] as const)
    expect((await ask(line, version, [{ name: 'a' }])).map(errorOf)).toEqual([error])
  expect(await left(line)).toEqual(['a'])
})
