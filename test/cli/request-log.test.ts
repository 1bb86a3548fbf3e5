// What the matrix of clients is made of: no line missing, none twice.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { requestLog } from '../../src/cli/request-log.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'twiglog-request-log-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

test('each client, key and version has one line, however often it asks', () => {
  const file = join(folder, 'asked.jsonl')
  const see = requestLog(file)
  const java = { softwareName: 'apache-kafka-java', softwareVersion: '4.4.0' }
  const nameless = { softwareName: '', softwareVersion: '' }
  for (let i = 0; i < 3; i++) {
    see(0, 13, java)
    see(0, 9, nameless)
    see(1, 18, java)
  }
  expect(readFileSync(file, 'utf8')).toBe(
    [
      '{"apiKey":0,"version":13,"softwareName":"apache-kafka-java","softwareVersion":"4.4.0"}\n',
      '{"apiKey":0,"version":9,"softwareName":"","softwareVersion":""}\n',
      '{"apiKey":1,"version":18,"softwareName":"apache-kafka-java","softwareVersion":"4.4.0"}\n',
    ].join(''),
  )
})
