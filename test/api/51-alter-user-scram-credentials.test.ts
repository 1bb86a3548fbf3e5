// Passwords of users: given, described without their secrets, taken. The answers are those of Kafka 4.4.0.

import { expect, test } from 'vitest'
import { describeUserScramCredentials } from '../../protocol/messages/50-describe-user-scram-credentials.ts'
import { alterUserScramCredentials } from '../../protocol/messages/51-alter-user-scram-credentials.ts'
import { MetadataLog } from '../../src/broker/metadata-log.ts'
import { ScramCredentials } from '../../src/broker/scram-credentials.ts'
import { systemClock } from '../../src/storage/clock.ts'
import { MemoryStore } from '../../src/storage/memory-file.ts'
import { errorOf, Line } from './line.ts'

type User = [name: string, mechanism?: number, iterations?: number]
const bytes = Buffer.from('salted')

const upsertion = ([name, mechanism = 1, iterations = 4096]: User) => {
  return { name, mechanism, iterations, salt: bytes, saltedPassword: bytes }
}

async function alter(line: Line, deletions: User[], upsertions: User[]) {
  const { results } = await line.ask(alterUserScramCredentials, 0, {
    deletions: deletions.map(([name, mechanism = 1]) => ({ name, mechanism })),
    upsertions: upsertions.map(upsertion),
  })
  return results.map((result) => `${result.user}: ${errorOf(result)}`)
}

async function described(line: Line, ...names: string[]) {
  const { results } = await line.ask(describeUserScramCredentials, 0, { users: names.map((name) => ({ name })) })
  return results.map((result) => {
    const infos = result.credentialInfos.map(({ mechanism, iterations }) => `${mechanism} ${iterations}`)
    return [result.user, errorOf(result), ...infos].join(' ')
  })
}

test('a password is given by each mechanism, changed and taken', async () => {
  await using line = await Line.open()
  expect(await alter(line, [], [['a'], ['b', 2, 8192]])).toEqual(['a: NONE', 'b: NONE'])
  expect(await alter(line, [], [['a', 2]])).toEqual(['a: NONE'])
  expect(await described(line)).toEqual(['a NONE 2 4096 1 4096', 'b NONE 2 8192'])
  expect(await alter(line, [['a', 2]], [['b', 2, 16_384]])).toEqual(['a: NONE', 'b: NONE'])
  expect(await described(line, 'b', 'a')).toEqual(['b NONE 2 16384', 'a NONE 1 4096'])
  expect(await alter(line, [['a']], [])).toEqual(['a: NONE'])
  expect(await described(line, 'a')).toEqual(['a RESOURCE_NOT_FOUND'])
  expect(await described(line, 'b', 'b')).toEqual(['b DUPLICATE_RESOURCE'])
})

test.each<[why: string, deletions: User[], upsertions: User[], outcome: string[]]>([
  ['nobody', [['']], [], [': UNACCEPTABLE_CREDENTIAL']],
  ['a user who has none', [['x']], [], ['x: RESOURCE_NOT_FOUND']],
  ['a mechanism that is not known', [], [['x', 3]], ['x: UNSUPPORTED_SASL_MECHANISM']],
  ['too few iterations', [], [['x', 1, 4095]], ['x: UNACCEPTABLE_CREDENTIAL']],
  ['too many iterations', [], [['x', 2, 16_385]], ['x: UNACCEPTABLE_CREDENTIAL']],
  ['a user twice', [], [['x'], ['x', 2]], ['x: DUPLICATE_RESOURCE']],
  ['a user given and taken', [['a']], [['a', 2]], ['a: DUPLICATE_RESOURCE']],
  ['one of two', [], [['x', 9], ['y']], ['x: UNSUPPORTED_SASL_MECHANISM', 'y: NONE']],
])('%s is refused, and nothing else', async (_, deletions, upsertions, outcome) => {
  await using line = await Line.open()
  await alter(line, [], [['a']])
  expect(await alter(line, deletions, upsertions)).toEqual(outcome)
  expect((await described(line)).filter((user) => !user.startsWith('y'))).toEqual(['a NONE 1 4096'])
})

test('what is kept outlives the broker, and the password is not in it', async () => {
  const store = new MemoryStore()
  const first = new MetadataLog(store, systemClock)
  await new ScramCredentials(first).alter([], [upsertion(['a'])])
  await first.close()
  const kept = new ScramCredentials(new MetadataLog(store, systemClock)).of('a')?.get(1)
  expect(kept).toMatchObject({ iterations: 4096, salt: bytes.toString('base64') })
  expect(JSON.stringify(kept)).not.toContain(bytes.toString('hex'))
  expect([kept!.storedKey, kept!.serverKey].map((key) => Buffer.from(key, 'base64').length)).toEqual([32, 32])
})
