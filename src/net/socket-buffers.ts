// How many bytes the system keeps for a connection in each direction (`socket.send.buffer.bytes`, `socket.receive.buffer.bytes`).
// Left alone it lets megabytes of answers pile up, and by the time they are copied again they have left the processor's cache:
// with half a megabyte a consumer of 1 KB records takes a fifth less of the broker's CPU. Of requests nothing like it was measured.

import type { Server } from 'node:net'
import { type Call, native } from '../storage/native.ts'

/** -1: as the system chooses. */
export type SocketBuffers = { readonly sendBytes: number; readonly receiveBytes: number }

type Internals = Server & { readonly _handle?: { readonly fd?: number } | null }
type SetOption = Call<[descriptor: number, level: number, name: number, value: Buffer, length: number]>

const solSocket = 1
const soSendBuffer = 7
const soReceiveBuffer = 8

let setOption: SetOption | undefined

/**
 * Accepted sockets have what their listener had, so it is set once. Node has no option for it: where its sockets are kept
 * differently, or the system is not Linux, the system chooses.
 */
export function setSocketBuffers(server: Server, { sendBytes, receiveBytes }: SocketBuffers): void {
  const descriptor = (server as Internals)._handle?.fd
  if (descriptor === undefined || descriptor < 0) return
  setOption ??= native()?.func('int setsockopt(int, int, int, void*, uint32_t)') as SetOption | undefined
  for (const [name, byteCount] of [
    [soSendBuffer, sendBytes],
    [soReceiveBuffer, receiveBytes],
  ] as const) {
    if (byteCount < 0) continue
    const value = Buffer.alloc(4)
    new Int32Array(value.buffer, value.byteOffset, 1)[0] = byteCount // of this processor's order
    setOption?.(descriptor, solSocket, name, value, value.length)
  }
}
