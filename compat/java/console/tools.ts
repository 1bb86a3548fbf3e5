// The console tools as functions.
import { type Outcome, Running, run } from '../../process.ts'
import { jars, jvm } from '../jars.ts'

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
  acls: 'org.apache.kafka.tools.AclCommand',
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
