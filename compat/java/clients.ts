// The Java client in three ages: today's, the last that still spoke to ZooKeeper's brokers, and one from before KRaft.
import { playClient } from '../play.ts'
import { javaCommand } from './command.ts'
import { folder } from './jars.ts'

export async function playJava(name: string, version: string, additions: readonly string[]): Promise<void> {
  const prepare = () => javaCommand(version, additions)
  await playClient({ name, needs: ['java', 'javac', 'mvn'], prepare, from: `file://${folder}clients.ts` })
}
