// Jars from Maven and class files from our sources, under target/, made again only when what they come from has changed.
import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { Broken, run } from '../process.ts'

export const folder = fileURLToPath(new URL('.', import.meta.url))
export const target = `${folder}target`
const fetchMs = 600_000
// A short life is most of it start-up: no second compiler, no parallel collector.
export const jvm = ['-Xmx384M', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto']

/** The jars of a profile of the pom; gives their class path. */
export async function jars(profile: string, clientVersion?: string): Promise<string> {
  const made = `${target}/${clientVersion === undefined ? profile : `${profile}-${clientVersion}`}`
  const chosen = clientVersion === undefined ? [] : [`-Dclient.version=${clientVersion}`]
  const copying = ['dependency:copy-dependencies', `-DoutputDirectory=${made}`, '-DincludeScope=runtime']
  await onceFor(['pom.xml'], made, () => must('mvn', ['-B', '-q', '-P', profile, ...chosen, ...copying]))
  return `${made}/*`
}

/** Class files of these folders, compiled against these jars; gives their class path together. */
export async function classes(name: string, folders: readonly string[], jars: string): Promise<string> {
  const sources: string[] = []
  for (const each of folders) {
    for (const file of await readdir(`${folder}${each}`)) if (file.endsWith('.java')) sources.push(`${each}/${file}`)
  }
  const made = `${target}/classes-${name}`
  const quiet = ['-Xlint:none', '-nowarn', '-proc:none']
  await onceFor(sources, made, async () => {
    await must('javac', ['--release', '17', ...quiet, '-cp', jars, '-d', made, ...sources]).catch((problem: Error) => {
      throw new Broken(problem.message)
    })
  })
  return `${made}:${jars}`
}

async function onceFor(sources: readonly string[], made: string, make: () => Promise<void>): Promise<void> {
  await mkdir(target, { recursive: true })
  const hash = createHash('sha256')
  for (const source of sources) hash.update(await readFile(`${folder}${source}`))
  const stamp = hash.digest('hex')
  if ((await readFile(`${made}.stamp`, 'utf8').catch(() => '')) === stamp) return
  await rm(made, { recursive: true, force: true })
  await make()
  await writeFile(`${made}.stamp`, stamp) // last, so that a broken download is tried again
}

async function must(program: string, args: readonly string[]): Promise<void> {
  const { code, stdout, stderr } = await run(program, args, { cwd: folder, timeoutMs: fetchMs })
  if (code !== 0) throw new Error(`${program} ended with ${code}: ${stdout}${stderr}`)
}
