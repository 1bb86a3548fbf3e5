// Commands and those who answer them that are no broker of ours: what the user is told, and that the command ends.

import type { AddressInfo } from 'node:net'
import { createServer, type Server, type Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { runBranch } from '../../src/cli/branch/run.ts'
import type { Order } from '../../src/options.ts'
import { typed } from './typed.ts'

let server: Server | undefined
const sockets: Socket[] = []
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy()
  server?.close()
})

/** A server that answers the first bytes it gets. */
async function answering(answer: Buffer | string | undefined): Promise<string> {
  server = createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => {})
    socket.once('data', () => (answer === undefined ? socket.end() : socket.write(answer)))
  })
  await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve))
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

const list = (bootstrap: string) =>
  typed(['branch', 'list', '--bootstrap', bootstrap], (order: Order, terminal) => {
    if (order.kind !== 'branch') throw new Error(order.kind)
    return runBranch(order.order, terminal)
  })

/** A frame with `body` behind the id of the first request. */
function frame(body: Buffer): Buffer {
  const bytes = Buffer.concat([Buffer.alloc(8), body])
  bytes.writeInt32BE(body.length + 4, 0)
  bytes.writeInt32BE(1, 4)
  return bytes
}
const noApis = Buffer.alloc(6)
const refused = Buffer.from([0, 35, 0, 0, 0, 0])

// Each of these was a stack trace, or a command that did not end.
test.each([
  ['a web server', 'HTTP/1.1 400 Bad Request\r\n\r\n', 'does not speak Kafka'],
  ['TLS', Buffer.from([0x15, 3, 3, 0, 2, 2, 70]), 'not without TLS'],
  ['bytes that end too soon', frame(Buffer.from([0, 0, 0, 0, 0, 9])), 'does not speak Kafka'],
  ['a broker that speaks nothing that we know', frame(noApis), 'speaks no version of Metadata'],
  ['a broker that does not say what it speaks', frame(refused), 'does not tell what it speaks (35)'],
])('%s', async (_, answer, sentence) => {
  const at = await answering(answer)
  const { code, out, err } = await list(at)
  expect([code, out]).toEqual([1, ''])
  expect(err).toContain(`${at} `)
  expect(err).toContain(sentence)
  // Nothing of ours is left that would keep the process.
  await Promise.all(sockets.map((socket) => socket.closed || new Promise((resolve) => socket.once('close', resolve))))
})

test('somebody who hangs up', async () => {
  const { code, err } = await list(await answering(undefined))
  expect(code).toBe(5)
  expect(err).toContain('closed the connection: it has stopped, or wants TLS or a login')
})

test('nobody', async () => {
  const at = await answering('')
  await new Promise((resolve) => server!.close(resolve))
  const { code, err } = await list(at)
  expect(code).toBe(5)
  expect(err).toContain(`No broker answers at ${at} (ECONNREFUSED). Is it running?`)
})
