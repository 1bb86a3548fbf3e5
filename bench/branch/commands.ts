// Commands and their results by KafkaJS. What a command took is told by clocks of one machine: from just before it is sent until the
// broker writes the result, so that no poll of ours is measured.
import type { Kafka } from 'kafkajs'

export interface Result {
  readonly ms: number
  readonly event: {
    readonly status: string
    readonly counts?: { readonly written: number; readonly conflicts: number }
    readonly gateMs?: number
    readonly error?: { readonly code: string; readonly message: string }
  }
}

export interface Commander extends AsyncDisposable {
  /** Rejects where the broker does. */
  run(command: object): Promise<Result>
}

const resultMsMax = 300_000

export async function commander(kafka: Kafka): Promise<Commander> {
  const label = `bench-${Date.now().toString(36)}`
  const producer = kafka.producer()
  const consumer = kafka.consumer({ groupId: label, maxWaitTimeInMs: 100 })
  const waiting = new Map<string, (told: { event: Result['event']; at: number }) => void>()
  await producer.connect()
  await producer.send({ topic: '__branch_commands', messages: [{ value: '{"op":"abandon","set":"none"}' }] }) // makes both topics
  await consumer.connect()
  await consumer.subscribe({ topic: '__branches', fromBeginning: false })
  const joined = new Promise((resolve) => consumer.on(consumer.events.GROUP_JOIN, resolve))
  await consumer.run({
    autoCommit: false,
    eachMessage: async ({ message }) => {
      const event = JSON.parse(String(message.value))
      if (event.type !== 'merge-begin') waiting.get(event.id)?.({ event, at: Number(message.timestamp) })
    },
  })
  await joined
  let count = 0
  return {
    async run(command) {
      const id = `${label}-${++count}`
      let timer: NodeJS.Timeout | undefined
      const told = new Promise<{ event: Result['event']; at: number }>((resolve, reject) => {
        waiting.set(id, resolve)
        timer = setTimeout(() => reject(new Error(`no result of ${JSON.stringify(command)}`)), resultMsMax)
      })
      const sentAt = Date.now()
      await producer.send({ topic: '__branch_commands', messages: [{ value: JSON.stringify({ id, ...command }) }] })
      const { event, at } = await told.finally(() => clearTimeout(timer))
      waiting.delete(id)
      if (event.error !== undefined) throw new Error(`${event.error.code}: ${event.error.message}`)
      return { ms: at - sentAt, event }
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([producer.disconnect(), consumer.disconnect()])
    },
  }
}
