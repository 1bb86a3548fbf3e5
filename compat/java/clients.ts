// The Java client in three ages: today's, the last that still spoke to ZooKeeper's brokers, and one from before KRaft.
import { playClient } from '../play.ts'
import { classes, folder, jars, jvm } from './jars.ts'

const quiet = '-Dorg.slf4j.simpleLogger.defaultLogLevel=error'

/** The command line of a hand, compiled from `hand/` and what is new in this version. */
export async function javaCommand(version: string, additions: readonly string[]): Promise<readonly string[]> {
  const path = await classes(`hand-${version}`, ['hand', ...additions], await jars('client', version))
  return ['java', ...jvm, quiet, '-cp', path, 'Hand']
}

export async function playJava(name: string, version: string, additions: readonly string[]): Promise<void> {
  const prepare = () => javaCommand(version, additions)
  await playClient({ name, needs: ['java', 'javac', 'mvn'], prepare, from: `file://${folder}clients.ts` })
}
