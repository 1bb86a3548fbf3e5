// A real process with a mapped log, killed at moments that nobody chose: every append that it acknowledged is there.

import { type ChildProcess, spawn } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { checkLog } from '../../src/log/check.ts'
import { Log } from '../../src/log/log.ts'
import { PlainStore } from '../../src/storage/plain-file.ts'
import { built } from '../built.ts'
import { readAll, smallConfig } from '../log/log-environment.ts'
import { numbersFrom } from './world.ts'

const folder = 'topics/t/0'
const config = { ...smallConfig, segmentBytes: 300_000, indexIntervalBytes: 4096 }
const root = mkdtempSync(join(tmpdir(), 'twiglog-kill-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

const appender = fileURLToPath(new URL('appender.mjs', import.meta.url))

/** Runs the appender until some time after its first word; answers the last offset it acknowledged. */
async function appendAndKill(folderOfBuild: string, data: string, waitMs: number): Promise<number> {
  const args = [appender, folderOfBuild, data, folder, JSON.stringify({ ...config, segmentMs: 1e15 })]
  const child: ChildProcess = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  let complaint = ''
  child.stdout!.on('data', (bytes: Buffer) => {
    said = said.slice(-200) + String(bytes)
  })
  child.stderr!.on('data', (bytes: Buffer) => {
    complaint += String(bytes)
  })
  const closed = new Promise((resolve) => child.once('close', resolve))
  while (said === '' && child.exitCode === null) await pause(2)
  await pause(waitMs)
  child.kill('SIGKILL')
  await closed
  if (complaint !== '') throw new Error(complaint)
  const whole = said.slice(0, said.lastIndexOf('\n'))
  return Number(whole.slice(whole.lastIndexOf('\n') + 1))
}

test('everything that a killed process acknowledged is there, once and in order, time after time', async () => {
  const folderOfBuild = dirname(dirname(await built('src/main.js')))
  const seed = Date.now() % 1_000_000
  console.log(`seed of the kills: ${seed}`)
  const chance = numbersFrom(seed)
  const data = join(root, 'data')
  let ended = -1
  for (let round = 0; round < 12; round++) {
    const acknowledged = await appendAndKill(folderOfBuild, data, 80 * chance())
    expect(acknowledged).toBeGreaterThan(ended)
    const { findings } = checkLog(new PlainStore(data), folder)
    expect(findings.filter(({ kind }) => kind === 'damage')).toEqual([])
    // Looked at in a copy, so that the next round starts from what the kill left.
    const copy = join(root, `copy-${round}`)
    cpSync(data, copy, { recursive: true })
    const log = new Log(new PlainStore(copy), folder, config)
    expect(log.logEndOffset).toBeGreaterThan(acknowledged)
    // At most the one that was being acknowledged.
    expect(log.logEndOffset).toBeLessThanOrEqual(acknowledged + 2)
    const seen = readAll(log, log.logStartOffset, 1_000_000)
    expect(seen.length).toBe(log.logEndOffset - log.logStartOffset)
    seen.forEach(([offset, value], i) => {
      const expected = String(Buffer.alloc((offset * 7919) % 9000, String(offset)))
      if (offset !== log.logStartOffset + i || value !== expected) expect.fail(`offset ${offset} is not what was sent`)
    })
    ended = acknowledged
    log.release()
    rmSync(copy, { recursive: true })
  }
})
