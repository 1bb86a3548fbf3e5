// Commands as they are written into `__branch_commands`: what is understood, and what is said about the rest.

import { describe, expect, test } from 'vitest'
import { type Command, ops, parseCommand } from '../../src/branch/commands.ts'
import { Rejection } from '../../src/branch/events.ts'

const parse = (command: unknown) => parseCommand(Buffer.from(JSON.stringify(command)), 'c-7')
const understood = (command: unknown) => {
  const parsed = parse(command).command
  expect(parsed).not.toBeInstanceOf(Rejection)
  return parsed as Command
}
const rejected = (command: unknown) => {
  const parsed = parse(command).command
  expect(parsed).toBeInstanceOf(Rejection)
  return parsed as Rejection
}

describe('every op of the document is understood as it stands there', () => {
  const examples = [
    '{"op":"fork","id":"f1","from":"orders","to":"orders--try","at":"latest","set":"try","groups":"none","configs":{}}',
    '{"op":"fork","id":"f2","set":"pr-7","topics":[{"from":"orders"},{"from":"stock","to":"stock--pr-7","at":"earliest"}]}',
    '{"op":"plan","id":"p1","from":"orders--try","into":"orders","limit":100}',
    '{"op":"merge","id":"m1","from":"orders--try","into":"orders","strategy":"three-way","fields":"json","onConflict":"park"}',
    '{"op":"merge","id":"m2","set":"try","onConflict":"fail","reads":[{"topic":"stock","key":"sku-1"}]}',
    '{"op":"resolve","id":"r1","merge":"m1","topic":"orders","partition":0,"key":"k1","take":"theirs"}',
    '{"op":"revert","id":"v1","topic":"orders","merge":"m1"}',
    '{"op":"revert","id":"v2","topic":"orders","range":{"0":[120,180]},"mode":"replay"}',
    '{"op":"reset","id":"s1","branch":"orders--try","at":"latest"}',
    '{"op":"promote","id":"u1","branch":"orders--try","keep":"orders--before"}',
    '{"op":"abandon","id":"a1","branch":"orders--try"}',
    '{"op":"abandon","id":"a2","set":"try"}',
    '{"op":"fork","set":"S","from":"*"}',
    '{"op":"fork","set":"T","from":"set:S"}',
    '{"op":"listen","set":"S","port":0}',
  ]
  test.each(examples)('%s', (text) => {
    const { id, command } = parseCommand(Buffer.from(text), 'c-7')
    expect(command).not.toBeInstanceOf(Rejection)
    expect(command).toMatchObject({ op: JSON.parse(text).op, id, dryRun: false })
    expect(id).toBe(JSON.parse(text).id ?? 'c-7')
  })

  test('and there are no others', () => {
    const told = new Set(examples.map((text) => JSON.parse(text).op))
    expect([...told].sort()).toEqual([...ops].sort())
  })
})

test('a branch of a set is called after its parent and the set, unless somebody says otherwise', () => {
  const command = understood({ op: 'fork', set: 'pr-7', topics: [{ from: 'orders' }, { from: 'stock', to: 'other' }] })
  expect(command).toMatchObject({
    source: {
      kind: 'topics',
      topics: [
        { from: 'orders', to: 'orders--pr-7' },
        { from: 'stock', to: 'other' },
      ],
    },
  })
  expect(rejected({ op: 'fork', from: 'orders' }).message).toContain("'to' is missing")
})

test('keys and values that are no text are given as base64', () => {
  const key = Buffer.from([0xff, 0x00])
  const resolve = { op: 'resolve', merge: 'm1', topic: 't', partition: 0, take: 'value' }
  const command = understood({ ...resolve, keyBase64: key.toString('base64'), valueBase64: '' })
  expect(command).toMatchObject({ key, value: Buffer.alloc(0) })
  expect(understood({ ...resolve, key: 'k', value: null })).toMatchObject({ value: null })
  expect(rejected({ ...resolve, key: 'k', valueBase64: 'no!' }).message).toContain('must be base64')
  expect(rejected({ ...resolve, key: 'k', keyBase64: '', value: 'v' }).message).toContain('twice')
  const merge = { op: 'merge', from: 'a', into: 'b' }
  expect(understood({ ...merge, keys: ['k1'], keysBase64: ['/w=='] })).toMatchObject({
    keys: [Buffer.from('k1'), Buffer.from([0xff])],
  })
})

test('a configuration may be given as a number or a boolean', () => {
  const configs = { 'retention.ms': 5, 'unclean.leader.election.enable': true, 'cleanup.policy': null }
  expect(understood({ op: 'fork', from: 'a', to: 'b', configs })).toMatchObject({
    configs: { 'retention.ms': '5', 'unclean.leader.election.enable': 'true', 'cleanup.policy': null },
  })
})

describe('what is not a command is told why', () => {
  test.each([null, Buffer.from(''), Buffer.from('{'), Buffer.from([0xc3, 0x28]), Buffer.alloc(1_000_000, 'x')])(
    'bytes that are not JSON',
    (value) => {
      const { id, command } = parseCommand(value, 'c-7')
      expect(id).toBe('c-7')
      expect(command).toMatchObject({ code: 'NOT_JSON' })
    },
  )

  test.each([[[]], ['fork'], [7], [null]])('JSON that is no object: %j', (value) => {
    expect(rejected(value).code).toBe('NOT_JSON')
  })

  test.each(['frok', 7, null, undefined, 'toString', '__proto__'])('an op that is unknown: %j', (op) => {
    expect(rejected({ op, id: 'x' })).toMatchObject({ code: 'UNKNOWN_OP' })
    expect(parse({ op, id: 'x' }).id).toBe('x')
  })

  test.each([
    [{ op: 'fork', from: 'a', to: 'b', onconflict: 'park' }, "there is no field 'onconflict'"],
    [{ op: 'fork', to: 'b' }, "'from' is missing"],
    [{ op: 'fork', from: '*' }, "'set' is missing"],
    [{ op: 'fork', from: 'set:S', set: 'T', to: 'x' }, "'to' is for a single topic"],
    [{ op: 'fork', from: 'a', topics: [{ from: 'a', to: 'b' }] }, "'topics' has a 'from'"],
    [{ op: 'fork', set: 's', topics: [] }, "'topics' must be a list that is not empty"],
    [{ op: 'fork', set: 's', topics: ['a'] }, 'an object is expected'],
    [{ op: 'fork', set: 's', topics: [{ from: 'a', form: 'b' }] }, "'topics' 0: there is no field 'form'"],
    [{ op: 'fork', from: 'a', to: 'b', configs: { a: {} } }, "'configs' must be"],
    [{ op: 'fork', from: 'a', to: 'b', groups: 'all' }, "'groups' must be one of none, copy, fork"],
    [{ op: 'fork', from: 7, to: 'b' }, "'from' must be a text"],
    [{ op: 'merge', from: 'a' }, "either 'from' and 'into' or 'set'"],
    [{ op: 'merge', set: 's', into: 'a' }, "'set' merges every member"],
    [{ op: 'merge', from: 'a', into: 'b', keys: ['k'], keyPrefix: 'k' }, 'exclude each other'],
    [{ op: 'merge', from: 'a', into: 'b', onConflict: 'mine' }, "'onConflict' must be one of"],
    [{ op: 'plan', from: 'a', into: 'b', limit: -1 }, "'limit' must be a whole number"],
    [{ op: 'resolve', merge: 'm', topic: 't', partition: 0, key: 'k' }, "'take' is missing"],
    [{ op: 'resolve', merge: 'm', topic: 't', partition: 0, key: 'k', take: 'ours', value: 'v' }, 'take=value'],
    [{ op: 'resolve', merge: 'm', topic: 't', key: 'k', take: 'ours' }, "'partition' is missing"],
    [{ op: 'revert', topic: 't' }, "either 'merge' or 'range'"],
    [{ op: 'revert', range: { 0: [1, 2] } }, "'topic' is missing"],
    [{ op: 'revert', topic: 't', range: { 0: [2, 1] } }, "'range' must be"],
    [{ op: 'abandon' }, "either 'branch' or 'set'"],
    [{ op: 'abandon', branch: 'b', set: 's' }, "either 'branch' or 'set'"],
    [{ op: 'listen', set: 's', port: 70_000 }, "'port' must be a whole number from 0 to 65535"],
    [{ op: 'abandon', branch: 'b', dryRun: 'yes' }, "'dryRun' must be true or false"],
    [{ op: 'abandon', branch: 'b', id: 'c-3' }, 'given by the broker'],
    [{ op: 'abandon', branch: 'b', id: 'x'.repeat(201) }, 'longer than 200'],
  ])('%j', (command, message) => {
    const rejection = rejected(command)
    expect(rejection.code).toBe('INVALID_COMMAND')
    expect(rejection.message).toContain(message)
  })

  test('an id that only the broker gives is not taken over', () => {
    expect(parse({ op: 'abandon', branch: 'b', id: 'c-3' }).id).toBe('c-7')
    expect(parse({ op: 'abandon', branch: 'b', id: 'c-7' }).command).not.toBeInstanceOf(Rejection)
  })
})
