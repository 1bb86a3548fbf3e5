// A group API as a client meets it: the request is written and read, handled, and the answer written and read again.

import { codec } from '../../protocol/compile.ts'
import { Reader } from '../../protocol/reader.ts'
import type { Answer, ApiTable, Draft, Request } from '../../protocol/schema.ts'
import { Writer } from '../../protocol/writer.ts'
import type { Api, Context } from '../../src/api/api.ts'
import { World } from '../group/world.ts'

export const orders = { name: 'orders', id: `${'B'.repeat(21)}A`, partitions: [{}, {}] }
export const refunds = { name: 'refunds', id: `${'C'.repeat(21)}A`, partitions: [{}] }
export const noSuchId = `${'D'.repeat(21)}A`

const topics = [orders, refunds]
const node = { nodeId: 7, host: 'broker.example', port: 9192 }
const broker = {
  topic: (name: string) => topics.find((topic) => topic.name === name),
  topicById: (id: string) => topics.find((topic) => topic.id === id),
  nodes: (listener: string) => [{ ...node, host: `${listener}.example` }],
  coordinator: () => node.nodeId,
  coordinates: () => true,
  features: { level: () => 1 },
}

export function through<F extends ApiTable['request']>(table: F, version: number, message: unknown): unknown {
  const writer = new Writer()
  codec(table, version).write(writer, message as Draft<F['fields']>)
  return codec(table, version).read(new Reader(writer.bytesWritten()))
}

export class Desk {
  readonly world: World

  private constructor(world: World) {
    this.world = world
  }

  static async open(): Promise<Desk> {
    return new Desk(await World.start())
  }

  /** What a client with this version is told. */
  async ask<A extends ApiTable>(api: Api, table: A, version: number, request: Partial<Request<A>>): Promise<Answer<A>> {
    const client = {
      listener: 'INSIDE',
      host: '10.0.0.9',
      principal: 'User:ANONYMOUS',
      softwareName: '',
      softwareVersion: '',
    }
    const context = {
      broker,
      node: node.nodeId,
      groups: this.world.groups,
      client,
      clientId: 'reader',
      version,
    } as unknown as Context
    const answer = await api.handle(through(table.request, version, request) as Parameters<Api['handle']>[0], context)
    return through(table.response, version, answer) as Answer<A>
  }
}

export const versionsOf = ({ versions: [first, last] }: Api): number[] =>
  Array.from({ length: last - first + 1 }, (_, i) => first + i)
