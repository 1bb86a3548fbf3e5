// The least that a server on node:net does for a request: reads it as twiglog does, looks at nothing but its number, writes the same answer.
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { readInto } from '../src/net/receive-buffer.ts'

const correlationAt = 8 // behind the frame's length, the API key and the version
const answerBytes = 60

const server = createServer({ noDelay: true }, serve).listen(0, '127.0.0.1', () => {
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`)
})

/** The raw client has one request in flight, so a header is never cut by the one before it. */
function serve(socket: Socket): void {
  let missing = 0 // bytes of the request that is being received
  let correlationId = 0
  socket.on('error', () => {})
  const take = (bytes: Buffer) => {
    for (let at = 0; at < bytes.length; ) {
      if (missing === 0) {
        missing = 4 + bytes.readInt32BE(at)
        correlationId = bytes.readInt32BE(at + correlationAt)
      }
      const taken = Math.min(missing, bytes.length - at)
      missing -= taken
      at += taken
      if (missing === 0) socket.write(answer(correlationId))
    }
  }
  const buffer = Buffer.allocUnsafeSlow(64 * 1024)
  const isRead = readInto(
    socket,
    () => buffer,
    (byteCount) => take(buffer.subarray(0, byteCount)),
  )
  if (!isRead) socket.on('data', take)
}

function answer(correlationId: number): Buffer {
  const bytes = Buffer.alloc(answerBytes)
  bytes.writeInt32BE(answerBytes - 4, 0)
  bytes.writeInt32BE(correlationId, 4)
  return bytes
}
