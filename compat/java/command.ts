// How the hand of a Java client is started: compiled from `hand/` and what is new in its version.
import { classes, jars, jvm } from './jars.ts'

const quiet = '-Dorg.slf4j.simpleLogger.defaultLogLevel=error'

export async function javaCommand(version: string, additions: readonly string[]): Promise<readonly string[]> {
  const path = await classes(`hand-${version}`, ['hand', ...additions], await jars('client', version))
  return ['java', ...jvm, quiet, '-cp', path, 'Hand']
}
