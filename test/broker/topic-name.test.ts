// Names that differ only in `.` and `_`.

import { expect, test } from 'vitest'
import { Collisions } from '../../src/broker/topic-name.ts'

test('a name collides with those that differ in dots and underscores alone, as long as they are there', () => {
  const collisions = new Collisions()
  const names = ['a.b', 'plain', 'a-b']
  expect(collisions.check('a_b', names, 1)?.message).toBe("Topic 'a_b' collides with existing topic: a.b")
  expect(collisions.check('a.b.c', names, 1)).toBeUndefined()
  expect(collisions.check('plain', names, 1)).toBeUndefined()
  expect(collisions.check('a_b', ['plain', 'x_y'], 2)).toBeUndefined()
  expect(collisions.check('x.y', ['plain', 'x_y'], 2)?.error).toBe('INVALID_TOPIC_EXCEPTION')
})
