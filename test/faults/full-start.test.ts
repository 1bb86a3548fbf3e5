// A broker that is killed on a disk that is full, and started on it again: it serves what is there, refuses what it has no room for, and
// goes on when there is room. On a disk that may not be written to at all it does not start, and says why.

import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { built } from '../built.ts'
import { ChildBroker } from '../child-broker.ts'
import { canMount, fillUp, type SmallDisk, smallDisk } from '../small-disk.ts'
import { Client } from './deeds.ts'

const isPossible = canMount()
if (!isPossible) console.log('full-start: no small file system may be mounted here, so this is skipped')

let disk: SmallDisk | undefined
let broker: ChildBroker | undefined
afterEach(async () => {
  if (broker?.isRunning) await broker.end('SIGKILL')
  disk?.remove()
  if (broker !== undefined) rmSync(broker.root, { recursive: true, force: true })
})

describe.skipIf(!isPossible).each(['mapped', 'plain'])('on a disk of its own, with %s files', (storage) => {
  test('a broker that was killed when the disk was full starts on it and serves what was acknowledged', {
    timeout: 300_000,
  }, async () => {
    broker = new ChildBroker(await built('bundle/main.js'), ['--set', `storage=${storage}`])
    mkdirSync(broker.data)
    disk = smallDisk(6, broker.data)!
    await broker.start()
    let client = await Client.open(broker.bootstrap)
    for (const topic of ['a', 'b']) await client.create(topic, { 'segment.bytes': '1048576' })
    for (let i = 0; i < 20; i++) for (const topic of ['a', 'b']) expect(await client.produce(topic)).toBe('NONE')
    fillUp(disk, 'ballast')
    while ((await client.produce('a')) === 'NONE');
    const told = client.acknowledged
    await broker.end('SIGKILL')
    client.close()

    await broker.start()
    client = await Client.open(broker.bootstrap)
    for (const topic of ['a', 'b']) expect(await client.values(topic)).toEqual(told.get(topic))
    // The start may have given room back.
    fillUp(disk, 'ballast-again')
    while ((await client.produce('a')) === 'NONE');
    for (const name of readdirSync(disk.path)) if (name.startsWith('ballast')) rmSync(join(disk.path, name))
    for (const topic of ['a', 'b']) expect(await client.produce(topic)).toBe('NONE')
    expect(await client.values('a')).toEqual([...told.get('a')!, ...client.acknowledged.get('a')!])
    client.close()
    await broker.end('SIGTERM')
    broker.expectSound()
  })

  test('a broker does not start where it may not write, and says so', { timeout: 300_000 }, async () => {
    broker = new ChildBroker(await built('bundle/main.js'), ['--set', `storage=${storage}`])
    mkdirSync(broker.data)
    disk = smallDisk(6, broker.data)!
    execFileSync('mount', ['-o', 'remount,ro', broker.data])
    await expect(broker.start()).rejects.toThrow(/read-only|EROFS/)
  })
})
