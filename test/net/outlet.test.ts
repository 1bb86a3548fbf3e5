// How the answers of a turn leave a socket, and what becomes of those that never do.

import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Outlet } from '../../src/net/outlet.ts'
import { Turn } from '../../src/net/turn.ts'

const server = createServer()
let near: Socket
let far: Socket

beforeEach(async () => {
  if (!server.listening) await once(server.listen(0, '127.0.0.1'), 'listening')
  const accepted = once(server, 'connection')
  far = connect((server.address() as AddressInfo).port, '127.0.0.1')
  near = (await accepted)[0] as Socket
})

afterEach(() => {
  near.destroy()
  far.destroy()
})

/** What the far end has read once it knows of `byteCount` bytes. */
async function read(byteCount: number): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of far) {
    chunks.push(chunk as Buffer)
    if (Buffer.concat(chunks).length >= byteCount) break
  }
  return Buffer.concat(chunks).toString()
}

test('what a turn brings leaves at its end, in order, and each part is told of', async () => {
  for (const count of [1, 2, 5]) {
    const outlet = new Outlet(near)
    const left: number[] = []
    outlet.hold()
    for (let i = 0; i < count; i++) outlet.write(Buffer.from(`${i}`), () => left.push(i))
    expect(outlet.byteCount).toBe(count)
    expect(left).toEqual([])
    outlet.leave()
    await expect.poll(() => left).toEqual(Array.from({ length: count }, (_, i) => i))
    expect(outlet.byteCount).toBe(0)
  }
  near.end()
  expect(await read(8)).toBe('00101234')
})

test('a part that waits for the end of its turn is let go where the socket is closed before', async () => {
  const outlet = new Outlet(near)
  const left: string[] = []
  outlet.hold()
  outlet.write(Buffer.from('never'), () => left.push('let go'))
  near.destroy()
  await once(near, 'close')
  outlet.close()
  outlet.close()
  expect(left).toEqual(['let go'])
  expect(outlet.byteCount).toBe(0)
})

test('everybody is called at the end of a turn, once, and who asks then is called at the end of the next', async () => {
  const turn = new Turn()
  const called: string[] = []
  turn.atEnd(() => {
    called.push('a')
    turn.atEnd(() => called.push('c'))
  })
  turn.atEnd(() => called.push('b'))
  expect(called).toEqual([])
  await new Promise((resolve) => setImmediate(resolve))
  expect(called).toEqual(['a', 'b'])
  await new Promise((resolve) => setImmediate(resolve))
  expect(called).toEqual(['a', 'b', 'c'])
})
