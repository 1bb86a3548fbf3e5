// Names of what belongs to a set: pairs that nobody outside can spell, and the door in a client id.

import { expect, test } from 'vitest'
import {
  groupInside,
  insideOf,
  isSetLabel,
  noSet,
  readId,
  setEntered,
  topicInside,
  writtenId,
} from '../../src/branch/set-names.ts'

const overTheWire = (text: string) => Buffer.from(text, 'utf8').toString('utf8')

test('a pair of set and id is read back as it was, on the disk too', () => {
  const ids = ['x', 'S/x', '', '\u0001a', '--', '\u{10000}', 'S\u0001x', '\u0001\u0001']
  for (const set of ['S', 'pr-7', 'a.b_c']) {
    for (const id of ids) {
      const pair = groupInside(set, id)
      expect(insideOf(pair)).toEqual({ set, id })
      expect(readId(overTheWire(writtenId(pair)))).toBe(pair)
    }
  }
})

test('no id that comes over the wire is a pair, and none is written like one', () => {
  const ids = ['x', '', '\u0001S\u0001x', '\u0001', '\u0001\u0001S\u0001x', '\u{10000}', '\udc00S\udc00x', '\u0001x']
  const pairs = new Set(ids.map((id) => writtenId(groupInside('S', id))))
  for (const id of ids.map(overTheWire)) {
    expect(insideOf(id)).toBeUndefined()
    expect(pairs).not.toContain(writtenId(id))
    expect(readId(overTheWire(writtenId(id)))).toBe(id)
  }
})

test('ordinary ids are written as they are', () => {
  for (const id of ['orders-app', 'a b', 'ü', '']) expect(writtenId(id)).toBe(id)
  expect(topicInside('S', 'orders')).toBe('orders--S')
})

test('a client id enters the set that it names, whatever stands around it', () => {
  expect(setEntered('my-app')).toBeUndefined()
  expect(setEntered('my-app--branch--S--')).toBe('S')
  expect(setEntered('consumer-my-app--branch--pr-7---1')).toBe('pr-7')
  expect(setEntered('a--branch--S--b--branch--S--')).toBe('S')
})

test('a client id that says half of it, or two sets, is in no set rather than in the root', () => {
  for (const id of ['a--branch--S', 'a--branch--', 'a--branch----', 'a--branch--S/1--', 'a--branch--S----branch--T--'])
    expect(setEntered(id)).toBe(noSet)
})

test('labels of sets are plain words', () => {
  for (const good of ['S', 'pr-7', 'a.b_c', 'x'.repeat(64)]) expect(isSetLabel(good)).toBe(true)
  for (const bad of ['', '-a', 'a-', 'a--b', 'a b', 'x'.repeat(65), 'ü']) expect(isSetLabel(bad)).toBe(false)
})
