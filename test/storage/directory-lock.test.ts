// One broker for one data directory: who has it is told from who had it, whatever became of the process and of its number.

import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { holderOf, lockDirectory } from '../../src/storage/directory-lock.ts'
import { native } from '../../src/storage/native.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'twiglog-lock-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const file = () => join(folder, 'lock')
const onLinux = process.platform === 'linux'

/** The number of a process that has ended. */
const endedPid = (): number => spawnSync(process.execPath, ['-e', '']).pid

test('who has it keeps it until it is given back', () => {
  const unlock = lockDirectory(folder)
  expect(holderOf(folder)).toBe(process.pid)
  expect(() => lockDirectory(folder)).toThrow(`${folder} is in use by another broker of this process.`)
  unlock()
  expect(existsSync(file())).toBe(false)
  expect(holderOf(folder)).toBeUndefined()
  lockDirectory(folder)()
})

// In a container the first process has the number 1 each time: after a kill the lock named the very process that found it, which
// took it for its own and refused every start.
test.runIf(onLinux)('what a process of our own number has left, which was another one, is taken over', () => {
  for (const left of [`${process.pid}\n`, `${process.pid} 0123abcd-1\n`]) {
    writeFileSync(file(), left)
    expect(holderOf(folder)).toBeUndefined()
    lockDirectory(folder)()
  }
})

test('what is left of a process that has ended, or of a kill in the middle of writing it, is taken over', () => {
  for (const left of [`${endedPid()}\n`, `${endedPid()} 0123abcd-1\n`, '', 'x\n', '0\n']) {
    writeFileSync(file(), left)
    lockDirectory(folder)()
  }
})

// Its name was looked at, and one that was not called node was taken for somebody else who had its number.
test.runIf(onLinux)('a process that has given itself another name is still who it is', async () => {
  const script = `process.title = 'orders'; console.log(process.pid); process.stdin.resume()`
  const child = spawn(process.execPath, ['-e', script], { stdio: ['pipe', 'pipe', 'ignore'] })
  await new Promise((resolve) => child.stdout.once('data', resolve))
  writeFileSync(file(), `${child.pid}\n`)
  expect(holderOf(folder)).toBe(child.pid)
  expect(() => lockDirectory(folder)).toThrow(`is in use by process ${child.pid}`)
  child.stdin.end()
  await new Promise((resolve) => child.once('close', resolve))
  lockDirectory(folder)()
})

// A container whose first process does not care for others keeps it among them for ever.
test.runIf(onLinux)('a process that was killed and that nobody has buried yet has ended', async () => {
  // Where there is Node and nothing else, there is no sleep.
  const script = `"$0" -e 'setTimeout(() => {}, 200)' & echo $!; exec "$0" -e 'setTimeout(() => {}, 60_000)'`
  const parent = spawn('sh', ['-c', script, process.execPath], { stdio: ['ignore', 'pipe', 'ignore'] })
  const pid = Number(await new Promise((resolve) => parent.stdout.once('data', resolve)))
  const stat = `/proc/${pid}/stat`
  // A shell that is quick enough buries it after all.
  const isOver = () => !existsSync(stat) || /\) Z /.test(readFileSync(stat, 'latin1'))
  while (!isOver()) await new Promise((resolve) => setTimeout(resolve, 10))
  writeFileSync(file(), `${pid}\n`)
  expect(holderOf(folder)).toBeUndefined()
  lockDirectory(folder)()
  parent.kill()
})

// Two containers with one volume do not see each other's processes.
test.runIf(native() !== undefined)(
  'where the system has locks, one that is held counts, whatever the file says',
  () => {
    const unlock = lockDirectory(folder)
    const own = readFileSync(file())
    writeFileSync(file(), `${endedPid()} 0123abcd-1\n`)
    expect(() => lockDirectory(folder)).toThrow('is in use by process')
    writeFileSync(file(), own)
    unlock()
    lockDirectory(folder)()
  },
)

test('a folder that cannot be written to is said in the words of the system', () => {
  expect(() => lockDirectory(join(folder, 'none'))).toThrow(/ENOENT/)
})

test('a folder of Apache Kafka is left alone', () => {
  writeFileSync(join(folder, 'meta.properties'), 'version=1\n')
  expect(() => lockDirectory(folder)).toThrow('holds data of Apache Kafka')
  expect(readdirSync(folder)).toEqual(['meta.properties'])
})
