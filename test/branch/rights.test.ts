// What somebody must be allowed to do before a command is run for them: nothing where no authorizer is on, else all of it.

import { expect, test } from 'vitest'
import { type Command, parseCommand } from '../../src/branch/commands.ts'
import { forbidden, rightsFor, type Subjects } from '../../src/command/rights.ts'

const subjects: Subjects = {
  forked: () => [
    { from: 'orders', to: 'orders--S' },
    { from: 'stock', to: 'stock--S' },
  ],
  merged: () => [{ from: 'orders--S', into: 'orders' }],
  branches: () => [{ branch: 'orders--S', parent: 'orders' }],
  writtenBy: () => ['orders', 'stock'],
}

const command = (given: object) => parseCommand(Buffer.from(JSON.stringify(given)), 'c-0').command as Command
const rights = (given: object) =>
  rightsFor(command(given), subjects).map(({ operation, topic = 'the cluster' }) => `${operation} ${topic}`)

test.each([
  [
    { op: 'fork', set: 'S', from: '*' },
    [
      'READ orders',
      'DESCRIBE_CONFIGS orders',
      'CREATE orders--S',
      'READ stock',
      'DESCRIBE_CONFIGS stock',
      'CREATE stock--S',
    ],
  ],
  [{ op: 'plan', from: 'orders--S', into: 'orders' }, ['READ orders--S', 'DESCRIBE_CONFIGS orders--S', 'READ orders']],
  [{ op: 'merge', from: 'orders--S', into: 'orders' }, ['READ orders--S', 'WRITE orders']],
  [{ op: 'resolve', merge: 'm', topic: 'orders', partition: 0, key: 'k', take: 'ours' }, ['WRITE orders']],
  [{ op: 'revert', topic: 'orders', merge: 'm' }, ['WRITE orders']],
  [{ op: 'revert', merge: 'm' }, ['WRITE orders', 'WRITE stock']],
  [{ op: 'reset', branch: 'orders--S' }, ['DELETE orders--S']],
  [{ op: 'abandon', set: 'S' }, ['DELETE orders--S']],
  [{ op: 'promote', branch: 'orders--S' }, ['DELETE orders--S', 'ALTER orders--S', 'DELETE orders', 'ALTER orders']],
  [{ op: 'listen', set: 'S' }, ['ALTER the cluster']],
])('%j', (given, wanted) => {
  expect(rights(given)).toEqual(wanted)
})

test('one right that is missing keeps the whole command from being run, and says which it is', () => {
  const fork = command({ op: 'fork', set: 'S', from: '*' })
  const authorizer = { allows: (_: string, { topic }: { topic?: string }) => topic !== 'stock' }
  expect(forbidden(fork, 'User:alice', subjects, authorizer)).toMatchObject({
    code: 'TOPIC_AUTHORIZATION_FAILED',
    message: "User:alice needs READ on the topic 'stock'.",
  })
  expect(forbidden(fork, 'User:alice', subjects, { allows: () => true })).toBeUndefined()
  expect(forbidden(fork, 'User:alice', subjects, undefined)).toBeUndefined()
})
