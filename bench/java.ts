// Java's own measuring tools, as they come with Kafka. They time themselves from their first record on, so that no start of a JVM is
// counted but the warming up of its client is; there are no marks, and so no CPU of the broker.
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { cacheFolder } from './home.ts'
import { install } from './kafka.ts'

const toolMsMax = 600_000

export interface Timed {
  readonly messages: number
  readonly seconds: number
}

export interface JavaTools {
  produce(port: number, topic: string, messages: number): Promise<Timed>
  consume(port: number, topic: string, messages: number): Promise<Timed>
}

/** Resolves to a reason where the tools cannot be had. */
export async function javaTools(): Promise<JavaTools | string> {
  const jarFolder = join(cacheFolder('kafka'), 'tools')
  try {
    await install(jarFolder, 'kafka-tools')
  } catch (problem) {
    return problem instanceof Error ? problem.message : String(problem)
  }
  const tool = async (name: string, args: readonly string[]) => {
    const all = ['-Xmx512M', '-cp', join(jarFolder, '*'), `org.apache.kafka.tools.${name}`, ...args]
    const { stdout } = await promisify(execFile)('java', all, { timeout: toolMsMax })
    return stdout.trim().split('\n').at(-1) ?? ''
  }
  return {
    async produce(port, topic, messages) {
      const props = [`bootstrap.servers=127.0.0.1:${port}`, 'acks=1', 'linger.ms=5', 'enable.idempotence=false']
      const load = ['--num-records', `${messages}`, '--record-size', '1024', '--throughput', '-1']
      const said = await tool('ProducerPerformance', ['--topic', topic, ...load, '--producer-props', ...props])
      const found = /^(\d+) records sent, ([\d.]+) records\/sec/.exec(said)
      if (!found) throw new Error(`ProducerPerformance said: ${said}`)
      return { messages: Number(found[1]), seconds: Number(found[1]) / Number(found[2]) }
    },
    async consume(port, topic, messages) {
      const load = ['--messages', `${messages}`, '--timeout', '60000']
      const said = await tool('ConsumerPerformance', [
        '--bootstrap-server',
        `127.0.0.1:${port}`,
        '--topic',
        topic,
        ...load,
      ])
      const [, , , , count, , , fetchMs] = said.split(', ').map(Number)
      if (!count || !fetchMs) throw new Error(`ConsumerPerformance said: ${said}`)
      return { messages: count, seconds: fetchMs / 1000 } // without the joining of a group
    },
  }
}
