// The real Kafka, to be measured in the same run: the newest that Maven can resolve, one KRaft node, as it comes.
import { execFile } from 'node:child_process'
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { cacheFolder } from './home.ts'
import { freePort, type Peer } from './peers.ts'

const run = promisify(execFile)

// Heap and collector as the distribution's start scripts set them. Its logging is left out (no slf4j backend is on
// the class path), which can only help Kafka.
const java = [
  ...['-Xmx1G', '-Xms1G', '-server', '-XX:+UseG1GC', '-XX:MaxGCPauseMillis=20'],
  ...['-XX:InitiatingHeapOccupancyPercent=35', '-XX:+ExplicitGCInvokesConcurrent', '-Djava.awt.headless=true'],
]

/** Resolves to a reason where Kafka cannot be had: no Java, no Maven, or nothing that Maven can resolve. */
export async function kafka(): Promise<Peer | string> {
  if (!(await exists('java', '-version'))) return 'there is no Java'
  const jarFolder = join(cacheFolder('kafka'), 'jars')
  try {
    await install(jarFolder, 'kafka_2.13')
  } catch (problem) {
    return problem instanceof Error ? problem.message : String(problem)
  }
  const version =
    readdirSync(jarFolder).flatMap((jar) => /^kafka_2\.13-(.+)\.jar$/.exec(jar)?.[1] ?? [])[0] ?? 'unknown'
  const classPath = ['-cp', join(jarFolder, '*')]
  return {
    name: 'Kafka',
    version,
    async prepare(port, dataFolder) {
      const properties = join(dataFolder, 'server.properties')
      writeFileSync(properties, serverProperties(port, await freePort(), join(dataFolder, 'log')))
      const clusterId = Buffer.from('twiglog-bench-01').toString('base64url')
      const formatting = ['kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', properties]
      if (!existsSync(join(dataFolder, 'log'))) await run('java', [...classPath, ...formatting]) // else it is started again
      return ['java', ...java, ...classPath, 'kafka.Kafka', properties]
    },
  }
}

// The stock settings but for what one node on one machine needs; all that is absent is Kafka's default.
function serverProperties(port: number, controllerPort: number, logFolder: string): string {
  return `process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${controllerPort}
listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}
controller.listener.names=CONTROLLER
log.dirs=${logFolder}
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
`
}

/**
 * Asks for the newest release below a bound. A release is sometimes listed before all of its parts can be had;
 * Maven then names the part with its version, and we ask again below that one.
 */
export async function install(jarFolder: string, artifact: string): Promise<void> {
  if (existsSync(join(jarFolder, 'complete'))) return
  if (!(await exists('mvn', '--version'))) throw new Error('there is no Maven to resolve it')
  process.stderr.write(`resolving ${artifact} with Maven …\n`)
  const attemptsMax = 6
  let bound = '5.0.0'
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    rmSync(jarFolder, { recursive: true, force: true })
    const pomPath = join(cacheFolder('kafka'), 'pom.xml')
    writeFileSync(pomPath, pom(artifact, `[4.0.0,${bound})`))
    const goal = ['dependency:copy-dependencies', `-DoutputDirectory=${jarFolder}`, '-DincludeScope=runtime']
    const problem = await run('mvn', ['-B', '-q', '-U', '-f', pomPath, ...goal]).then(() => undefined, mavenOutput)
    if (problem === undefined) return writeFileSync(join(jarFolder, 'complete'), '')
    const missing = /org\.apache\.kafka:[\w.-]+:(?:jar|pom):(\d+\.\d+\.\d+)/.exec(problem)?.[1]
    if (missing === undefined || missing === bound) throw new Error(`Maven failed: ${problem.slice(0, 500)}`)
    bound = missing
  }
  throw new Error(`none of the ${attemptsMax} newest Kafka releases could be resolved`)
}

const mavenOutput = (problem: { stdout?: string; message: string }) => problem.stdout || problem.message

// Some releases name a part that was never published, which none of what is run here needs.
const pom = (artifact: string, range: string) => `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>twiglog</groupId><artifactId>bench-kafka</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId><artifactId>${artifact}</artifactId><version>${range}</version>
      <exclusions><exclusion><groupId>org.apache.kafka</groupId><artifactId>kafka-tools-api</artifactId></exclusion></exclusions>
    </dependency>
  </dependencies>
</project>
`

const exists = (command: string, flag: string) =>
  run(command, [flag]).then(
    () => true,
    () => false,
  )
