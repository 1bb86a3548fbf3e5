// Cross-checks by the clients most programs have, against a broker that was just started, as those who start one for their tests meet
// it: Java's measuring tools, KafkaJS and franz-go. The rate, and the rate with the start of the broker on the bill.
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type Client, kafkajs, run, sourceFolder } from './clients.ts'
import { cacheFolder } from './home.ts'
import { type JavaTools, javaTools, type Timed } from './java.ts'
import { type Bench, inTurn, type Journey, newTopic } from './journey.ts'
import { type RunningPeer, start } from './peers.ts'

interface Check {
  readonly name: string
  readonly messages: number
  readonly isGoal: boolean
  measure(mode: 'produce' | 'consume', topic: string, messages: number, peer: RunningPeer): Promise<Timed>
}

export const cross: Journey = {
  name: 'cross',
  summary: "Java's performance tools, KafkaJS and franz-go on a cold broker: rate, and rate with its start",
  run: async (bench) => {
    for (const check of await checks(bench)) {
      await inTurn(bench, `${check.name}, cold broker`, bench.peers, async (peer, round) => {
        const running = await start(peer)
        try {
          const messages = bench.count(check.messages)
          const topic = await newTopic(running, 1)
          const produced = await check.measure('produce', topic, messages, running)
          const consumed = await check.measure('consume', topic, messages, running)
          const add = (name: string, value: number, least?: number) => {
            const goal = check.isGoal && least ? { goal: { least } } : {}
            const figure = { name: `${check.name}, cold broker: ${name}`, unit: 'msg/s', ...goal }
            bench.table.add(peer, round, check.name, figure, value)
          }
          add('produce', produced.messages / produced.seconds, 1)
          add('produce, start included', produced.messages / (produced.seconds + running.readyMs / 1000), 2)
          add('consume', consumed.messages / consumed.seconds, 1)
        } finally {
          await running.stop()
        }
      })
    }
  },
}

async function checks(bench: Bench): Promise<Check[]> {
  const found: Check[] = [{ name: 'KafkaJS', messages: 200_000, isGoal: true, measure: byClient(kafkajs) }]
  const java = await javaTools()
  if (typeof java === 'string') bench.print({ figure: 'Java', note: `left out: ${java}` })
  else found.push({ name: 'Java', messages: 1_000_000, isGoal: true, measure: byJava(java) })
  const franzGo = await buildFranzGo()
  if (!franzGo) bench.print({ figure: 'franz-go', note: 'left out: it needs Go and its modules' })
  else found.push({ name: 'franz-go', messages: 1_000_000, isGoal: false, measure: byClient(franzGo) })
  return found
}

const byClient =
  (client: Client): Check['measure'] =>
  async (mode, topic, messages, peer) => {
    const outcome = await run(client, mode, { topic, messages, acks: 1 }, peer)
    return { messages: outcome.value('messages'), seconds: outcome.value('seconds') }
  }

const byJava =
  (tools: JavaTools): Check['measure'] =>
  (mode, topic, messages, { port }) =>
    tools[mode](port, topic, messages)

/** The go command itself knows what has changed. */
async function buildFranzGo(): Promise<Client | undefined> {
  const folder = join(sourceFolder, 'franz-go')
  if (!existsSync(folder)) return undefined
  const binary = join(cacheFolder('clients'), 'franz-go-client')
  return promisify(execFile)('go', ['build', '-o', binary, '.'], { cwd: folder }).then(
    () => ({ name: 'franz-go', command: [binary] }),
    () => undefined,
  )
}
