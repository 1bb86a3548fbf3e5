// Writes MATRIX.md: what each client could do here and with a real Kafka, and which requests it was seen to send.
import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { apis } from '../src/api/apis.ts'
import { drivers } from './drivers.mjs'
import { type Asked, allResults, type BrokerKind, type Outcome, requestsOf } from './results.ts'
import { applications, type ScenarioId, scenarioIds, scenarios } from './scenarios.ts'

const found = await allResults()
const names = Object.keys(drivers).filter((name) => found.has(name))
const players = names.filter((name) =>
  scenarioIds.some((id) => outcome(name, 'twiglog', id) ?? outcome(name, 'kafka', id)),
)
const asked = new Map(await Promise.all(names.map(async (name) => [name, await requestsOf(name)] as const)))

function outcome(client: string, kind: BrokerKind, id: string): Outcome | undefined {
  return found.get(client)?.[kind]?.outcomes[id]
}

/** One sign for both brokers; a run that is missing is said, never guessed. */
function sign(client: string, id: string): string {
  const ours = outcome(client, 'twiglog', id)?.result
  const kafkas = outcome(client, 'kafka', id)?.result
  if (ours === undefined && kafkas === undefined) return ''
  if (ours === 'skip' || (ours === undefined && kafkas === 'skip')) return '–'
  if (ours === undefined) return '?'
  if (kafkas === undefined || kafkas === 'skip') return ours === 'pass' ? '(✓)' : '(✗)'
  if (ours === 'pass') return kafkas === 'pass' ? '✓' : '✓!'
  return kafkas === 'pass' ? '✗' : '✗='
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [row(head), row(head.map((_, i) => (i === 0 ? '---' : ':-:'))), ...rows.map(row)].join('\n')
}

function total(client: string, kind: BrokerKind): string {
  const results = Object.values(found.get(client)?.[kind]?.outcomes ?? {})
  if (results.length === 0) return 'not run'
  const count = (result: Outcome['result']) => results.filter((each) => each.result === result).length
  return `${count('pass')} / ${count('fail')} / ${count('skip')}`
}

function versionOf(client: string): string {
  return found.get(client)?.twiglog?.version ?? found.get(client)?.kafka?.version ?? ''
}

/** When: a whole run by its end; what was put together by the ends of its first part and its last. */
function played(client: string, kind: BrokerKind): string {
  const { since = '', until = '' } = found.get(client)?.[kind] ?? {}
  if (since === until) return since
  const isOneDay = since.slice(0, 10) === until.slice(0, 10)
  return `${since} and later, to ${isOneDay ? until.slice(11) : until}`
}

function clients(): string {
  const kinds = ['twiglog', 'kafka'] as const
  const rows = names.map((name) => [
    name,
    versionOf(name),
    ...kinds.flatMap((kind) => [total(name, kind), played(name, kind)]),
  ])
  const head = ['twiglog: passed / failed / cannot', 'played (UTC)', 'Kafka: passed / failed / cannot', 'played (UTC)']
  return table(['client', 'version', ...head], rows)
}

function scenarioTable(): string {
  const rows = scenarioIds.map((id) => [`\`${id}\` ${scenarios[id].title}`, ...players.map((name) => sign(name, id))])
  return table(['scenario', ...players], rows)
}

function applicationTable(): string {
  const rows = Object.entries(applications).map(([id, title]) => {
    const name = names.find((each) => sign(each, id) !== '') ?? ''
    return [`\`${id}\` ${title}`, name === '' ? 'not run' : `${name} ${sign(name, id)}`]
  })
  return table(['application', ''], rows)
}

/** Every cell that is not as good here as a reader hopes, with the words of both runs. */
function exceptions(): string {
  const lines = names.flatMap((name) =>
    [...scenarioIds, ...Object.keys(applications)].flatMap((id) => {
      const [ours, kafkas] = [outcome(name, 'twiglog', id), outcome(name, 'kafka', id)]
      if (ours?.result !== 'fail' && kafkas?.result !== 'fail') return []
      const said = [ours, kafkas].map(
        (each, i) => `${i === 0 ? 'twiglog' : 'Kafka'}: ${each ? oneLine(each) : 'not run'}`,
      )
      return [`- ${name}, \`${id}\`: ${said.join('; ')}`]
    }),
  )
  return lines.length === 0 ? 'None: nothing failed on either broker.' : lines.join('\n')
}

function oneLine({ result, word = '' }: Outcome): string {
  return word === '' ? result : `${result} (${word.split('\n')[0]!.slice(0, 160)})`
}

/** Why a client cannot, each reason once. */
function reasons(): string {
  return players
    .map((name) => {
      const byWord = new Map<string, string[]>()
      for (const id of scenarioIds) {
        const skipped = outcome(name, 'twiglog', id) ?? outcome(name, 'kafka', id)
        if (skipped?.result !== 'skip') continue
        const word = skipped.word ?? 'no reason given'
        byWord.set(word, [...(byWord.get(word) ?? []), id])
      }
      if (byWord.size === 0) return `- **${name}**: plays everything`
      const lines = [...byWord].map(([word, ids]) => `  - ${word}: ${grouped(ids)}`)
      return `- **${name}**\n${lines.join('\n')}`
    })
    .join('\n')
}

/** `share.*` where all of a kind are meant. */
function grouped(ids: readonly string[]): string {
  const kinds = new Map<string, string[]>()
  for (const id of ids) {
    const kind = id.slice(0, id.indexOf('.'))
    kinds.set(kind, [...(kinds.get(kind) ?? []), id])
  }
  return [...kinds]
    .flatMap(([kind, some]) => {
      const all = scenarioIds.filter((id: ScenarioId) => id.startsWith(`${kind}.`))
      return some.length === all.length && some.length > 1 ? [`${kind}.*`] : some
    })
    .join(', ')
}

/** Versions of one API that a client sent; programs that set the stage for another are left out where they give a name. */
function versions(name: string, key: number): string {
  const seen = (asked.get(name) ?? [])
    .filter((each) => each.apiKey === key && isOwn(name, each))
    .map(({ version }) => version)
  const sorted = [...new Set(seen)].sort((a, b) => a - b)
  return sorted.join(', ')
}

function isOwn(name: string, { softwareName, softwareVersion }: Asked): boolean {
  if (name === 'kcat') return softwareName === 'librdkafka'
  if (name === 'console' || name === 'streams' || name === 'connect') return softwareVersion !== '4.4.0'
  return true
}

function requestTable(): string {
  const rows = [...apis.values()].map(({ table: { key, name }, versions: [min, max] }) => [
    `${key} ${name}`,
    `${min}–${max}`,
    ...names.map((client) => versions(client, key)),
  ])
  return table(['API', 'served', ...names], rows)
}

const text = `# What clients can do

Generated by \`npm run compat -- --matrix\` from the last runs of each client, against twiglog and against a real Apache Kafka
(README.md says how). Do not edit. The two runs of a client need not be of one hour: when each was played stands beside it. What is played
again by itself because it failed at first (COMPAT_AGAIN) is put in its place.

${clients()}

## Scenarios

✓ passes on both · ✗ fails here, passes on Kafka · ✗= fails on both · ✓! passes here, fails on Kafka · – the client cannot · (✓) (✗) not run on Kafka ·
? not run here

${scenarioTable()}

## Applications

${applicationTable()}

## What failed, and where

${exceptions()}

## What clients cannot

${reasons()}

## Requests that were seen

Versions of each API that a client sent to twiglog during its run (\`--request-log\`); "served" is what twiglog answers.

${requestTable()}
`
await writeFile(fileURLToPath(new URL('MATRIX.md', import.meta.url)), text)
console.log('MATRIX.md is written')
