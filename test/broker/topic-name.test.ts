// Names that differ only in `.` and `_`.

import { expect, test } from 'vitest'
import { Collisions } from '../../src/broker/topic-name.ts'

test('a name collides with those that differ in dots and underscores alone, as long as they are there', () => {
  const collisions = new Collisions()
  const names = ['a.b', 'plain', 'a-b']
  expect(collisions.check('a_b', names)?.message).toBe("Topic 'a_b' collides with existing topic: a.b")
  expect(collisions.check('a.b.c', names)).toBeUndefined()
  expect(collisions.check('plain', names)).toBeUndefined()
  collisions.removed('a.b')
  collisions.added('x_y')
  expect(collisions.check('a_b', names)).toBeUndefined()
  expect(collisions.check('x.y', names)?.error).toBe('INVALID_TOPIC_EXCEPTION')
  collisions.forget()
  expect(collisions.check('x.y', ['plain'])).toBeUndefined()
})
