// What the system was told to keep for a connection is read back from the socket that was accepted.

import { connect, createServer, type Socket } from 'node:net'
import { describe, expect, test } from 'vitest'
import { setSocketBuffers } from '../../src/net/socket-buffers.ts'
import { native } from '../../src/storage/native.ts'

const solSocket = 1
const [sendBuffer, receiveBuffer] = [7, 8]

function optionOf(socket: Socket, name: number): number {
  const get = native()!.func('int getsockopt(int, int, int, void*, void*)') as (...args: unknown[]) => number
  const { fd } = (socket as unknown as { _handle: { fd: number } })._handle
  const value = new Int32Array(1)
  const length = new Int32Array([4])
  expect(get(fd, solSocket, name, value, length)).toBe(0)
  return value[0]!
}

async function accepted(sendBytes: number, receiveBytes: number): Promise<{ send: number; receive: number }> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  setSocketBuffers(server, { sendBytes, receiveBytes })
  const { port } = server.address() as { port: number }
  const socket = new Promise<Socket>((resolve) => server.once('connection', resolve))
  const client = connect(port, '127.0.0.1')
  try {
    const of = await socket
    return { send: optionOf(of, sendBuffer), receive: optionOf(of, receiveBuffer) }
  } finally {
    client.destroy()
    ;(await socket).destroy()
    await new Promise((resolve) => server.close(resolve))
  }
}

describe.skipIf(native() === undefined)('socket.send.buffer.bytes and socket.receive.buffer.bytes', () => {
  test('hold for whoever connects; the system doubles them for what it keeps of its own', async () => {
    expect(await accepted(20_000, 30_000)).toEqual({ send: 40_000, receive: 60_000 })
  })

  test('leave the system its choice at -1', async () => {
    const chosen = await accepted(-1, -1)
    expect(await accepted(-1, 30_000)).toEqual({ send: chosen.send, receive: 60_000 })
    expect(await accepted(20_000, -1)).toEqual({ send: 40_000, receive: chosen.receive })
  })
})
