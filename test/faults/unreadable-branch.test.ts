// A branch whose files could not be read was described by cutting the connection: how many bytes are its own is told with its
// configurations, and nobody had thought that its log is opened for it.

import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Broker } from '../../src/embedded.ts'
import { FaultyStore } from '../../src/storage/faulty-file.ts'
import { Client } from './deeds.ts'

beforeEach(() => {
  vi.spyOn(console, 'error').mockImplementation(() => {})
})
afterEach(() => {
  vi.restoreAllMocks()
})

test('a branch that cannot be read is described all the same', async () => {
  const before = new FaultyStore()
  const first = await Broker.start({ storage: before })
  const writer = await Client.open(first.bootstrapServers)
  await writer.create('orders')
  await writer.produce('orders')
  await writer.fork('orders', 'orders--try')
  await writer.produce('orders--try')
  const folder = await writer.folder('orders--try')
  writer.close()
  const store = before.after('kill')
  await first.stop()

  const broker = await Broker.start({ storage: store })
  store.fault = (operation, path) => (operation === 'read' && path.startsWith(folder) ? 'EIO' : undefined)
  const client = await Client.open(broker.bootstrapServers)
  expect(await client.configured('orders--try', 'branch.from')).toBe('orders')
  expect(await client.configured('orders--try', 'branch.bytes.own')).toBe('0')
  expect(await client.produce('orders--try')).toBe('KAFKA_STORAGE_ERROR')
  store.fault = () => undefined
  client.close()
  await broker.stop()
})
