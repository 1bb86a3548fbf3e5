// The console tools as functions, and the newest Java client beside them for what they cannot do: any bytes anywhere, chosen
// timestamps.
import { packed, type RecordRead, unpacked } from '../../hand.ts'
import { HandProcess } from '../../hand-process.ts'
import { type Outcome, Running, run } from '../../process.ts'
import type { KafkaRecord } from '../../records.ts'
import { javaCommand } from '../clients.ts'
import { folder, jars, jvm } from '../jars.ts'

export const tools = {
  topics: 'org.apache.kafka.tools.TopicCommand',
  producer: 'org.apache.kafka.tools.ConsoleProducer',
  consumer: 'org.apache.kafka.tools.consumer.ConsoleConsumer',
  shareConsumer: 'org.apache.kafka.tools.consumer.ConsoleShareConsumer',
  groups: 'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand',
  shareGroups: 'org.apache.kafka.tools.consumer.group.ShareGroupCommand',
  transactions: 'org.apache.kafka.tools.TransactionsCommand',
  configs: 'kafka.admin.ConfigCommand',
  offsets: 'org.apache.kafka.tools.GetOffsetShell',
  deleteRecords: 'org.apache.kafka.tools.DeleteRecordsCommand',
  logDirs: 'org.apache.kafka.tools.LogDirsCommand',
  cluster: 'org.apache.kafka.tools.ClusterTool',
} as const
type Tool = keyof typeof tools

/** Sub-commands come before the options. */
const withWordFirst: readonly Tool[] = ['transactions', 'cluster']

export class Console {
  readonly #bootstrap: string
  readonly #path: string

  private constructor(bootstrap: string, path: string) {
    this.#bootstrap = bootstrap
    this.#path = path
  }

  static async of(bootstrap: string): Promise<Console> {
    return new Console(bootstrap, await jars('tools'))
  }

  /** Runs a tool to a good end and gives what it printed. */
  async run(tool: Tool, args: readonly string[], input = ''): Promise<string> {
    const { code, stdout, stderr } = await this.attempt(tool, args, input)
    if (code !== 0) throw new Error(`${tool} ${args.join(' ')} ended with ${code}: ${stdout}${stderr}`)
    return stdout.toString()
  }

  async attempt(tool: Tool, args: readonly string[], input = ''): Promise<Outcome> {
    return run('java', this.#args(tool, args), { input })
  }

  start(tool: Tool, args: readonly string[]): Running {
    return new Running('java', this.#args(tool, args))
  }

  #args(tool: Tool, args: readonly string[]): string[] {
    const place = ['--bootstrap-server', this.#bootstrap]
    const ordered =
      tool === 'transactions'
        ? [...place, ...args]
        : withWordFirst.includes(tool)
          ? [...args, ...place]
          : [...place, ...args]
    return [...jvm, '-cp', this.#path, tools[tool], ...ordered]
  }
}

export interface HandRead {
  readonly offset: number
  readonly timestamp: number
  readonly record: KafkaRecord
}

type Producing = { codec?: 'gzip'; idempotent?: boolean; batchBytes?: number }

/** Sets the stage for the tools. */
export class Beside {
  readonly hand: HandProcess
  #count = 0

  private constructor(hand: HandProcess) {
    this.hand = hand
  }

  static async of(bootstrap: string): Promise<Beside> {
    return new Beside(
      await HandProcess.start(await javaCommand('4.4.0', ['since30', 'since39', 'since41']), bootstrap, folder),
    )
  }

  /** Sends all to partition 0 as one batch, or several if they must be, and gives their offsets. */
  async send(
    topic: string,
    records: readonly KafkaRecord[],
    { timestamps, ...options }: Producing & { timestamps?: readonly number[] } = {},
  ): Promise<number[]> {
    const producer = `p${++this.#count}`
    await this.hand.ask('openProducer', { producer, ...options })
    try {
      const wire = records.map((record, i) => ({
        ...packed(record),
        partition: 0,
        ...(timestamps && { timestamp: timestamps[i]! }),
      }))
      return (await this.hand.ask('produce', { producer, topic, records: wire })).offsets!
    } finally {
      await this.hand.ask('closeProducer', { producer })
    }
  }

  async read(topic: string, from: number, count: number): Promise<HandRead[]> {
    const consumer = `c${++this.#count}`
    await this.hand.ask('openConsumer', { consumer, topic, partition: 0, from: { offset: from } })
    const records: RecordRead[] = []
    const giveUpAt = Date.now() + 30_000
    while (records.length < count && Date.now() < giveUpAt) {
      records.push(...(await this.hand.ask('poll', { consumer, ms: 200 })).records)
    }
    await this.hand.ask('closeConsumer', { consumer })
    return records.map(({ offset, timestamp, ...record }) => ({ offset, timestamp, record: unpacked(record) }))
  }

  async end(topic: string): Promise<number> {
    return (await this.hand.ask('offsetAt', { topic, partition: 0, at: 'end' })).offset
  }

  async stop(): Promise<void> {
    await this.hand.close()
  }
}
