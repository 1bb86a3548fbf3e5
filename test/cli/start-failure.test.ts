// Why a broker does not start, as its user is told.

import { expect, test } from 'vitest'
import { Corruption, StorageError } from '../../protocol/errors.ts'
import { explain } from '../../src/cli/start-failure.ts'

const ofSystem = (code: string, more: object) => Object.assign(new Error(`listen ${code}`), { code, ...more })

test.each([
  ['EADDRINUSE', { address: '127.0.0.1', port: 9092 }, '127.0.0.1:9092 is in use by another program', '--port N'],
  ['EADDRINUSE', { address: '127.0.0.1', port: 8080 }, '127.0.0.1:8080 is in use', '--http-port N'],
  ['EACCES', { address: '127.0.0.1', port: 80 }, 'Port 80 is not allowed', '--port N'],
  ['EADDRNOTAVAIL', { address: '10.9.8.7', port: 9092 }, '10.9.8.7 is no address of this machine', '--host'],
  ['ENOTFOUND', { hostname: 'nowhere.invalid' }, "Nobody knows a machine 'nowhere.invalid'", '--host'],
])('%s with %j says what to change', (code, more, sentence, way) => {
  const told = explain(ofSystem(code, more), 8080)
  expect(told.code).toBe(5)
  expect(told.message).toContain(sentence)
  expect(told.message).toContain(way)
  expect(told.message).not.toContain('\n')
})

test('what is wrong with a disk is a sentence; a mistake of ours comes with its place', () => {
  expect(explain(new StorageError('EROFS', 'it is read-only'))).toEqual({ message: 'it is read-only', code: 1 })
  expect(explain(new Corruption('metadata: byte 7'))).toEqual({
    message: 'metadata: byte 7. twiglog check FOLDER says what else is damaged.',
    code: 1,
  })
  expect(explain(new TypeError('of ours')).message).toContain('start-failure.test.ts')
})
