// The crash lab: a broker in a process of its own under load of every kind, killed with kill -9 at moments that nobody chose,
// looked at, started again; and in the end everything that was ever answered is held against what is there.

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { incrementalAlterConfigs } from '../../protocol/messages/44-incremental-alter-configs.ts'
import { checkStore } from '../../src/cli/check.ts'
import { CheckedFiles } from '../../src/log/checked-files.ts'
import { PlainStore } from '../../src/storage/plain-file.ts'
import { ChildBroker } from '../child-broker.ts'
import { identityOf } from '../file-identity.ts'
import { type Connect, WireClient } from '../wire-client.ts'
import { Auditor } from './audit.ts'
import { builtBroker, type Client, Player } from './casting.ts'
import { chanceFrom } from './chance.ts'
import { Commander } from './commanding.ts'
import type { History } from './history.ts'
import type { Judge } from './judge.ts'
import { makeTopics } from './making.ts'
import { Reader, shareGroup } from './reading.ts'
import { parents, topics, Writer } from './writing.ts'

export type Plan = {
  seed: number
  kills: number
  upMsMax: number
  clients: readonly Client[]
  say: (line: string) => void
}

const view = 'rev-history'
/** Small segments, so that logs roll, are indexed and packed all the time. */
const segmentBytes = '6144'
/** The others roll too: what a kill leaves open is scanned by every start, and by every look. */
const plainSegmentBytes = '65536'
const configs: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  ...Object.fromEntries(
    [...topics.keys()].map((name) => [name, { 'internal.segment.bytes': plainSegmentBytes }] as const),
  ),
  rev: { 'revision.diff': 'true', 'internal.segment.bytes': segmentBytes, 'revision.pack.lag.ms': '200' },
  // Nothing may be compacted away before it is looked at.
  ...Object.fromEntries(
    parents.map((name) => [
      name,
      { 'cleanup.policy': 'compact', 'min.compaction.lag.ms': '86400000', 'internal.segment.bytes': segmentBytes },
    ]),
  ),
}
const settings = [
  'log.segment.bytes=1048576',
  'offsets.topic.segment.bytes=1048576',
  'transaction.state.log.segment.bytes=1048576',
  'share.coordinator.state.topic.segment.bytes=1048576',
  'log.cleaner.backoff.ms=500',
  'offsets.topic.num.partitions=3',
  'transaction.state.log.num.partitions=3',
  'share.coordinator.state.topic.num.partitions=3',
  'group.initial.rebalance.delay.ms=0',
  'group.consumer.min.session.timeout.ms=6000',
  'group.consumer.session.timeout.ms=6000',
  'group.consumer.min.heartbeat.interval.ms=500',
  'group.consumer.heartbeat.interval.ms=1000',
  'group.share.min.session.timeout.ms=6000',
  'group.share.session.timeout.ms=6000',
  'group.share.min.heartbeat.interval.ms=500',
  'group.share.heartbeat.interval.ms=1000',
  'group.share.min.record.lock.duration.ms=3000',
  'group.share.record.lock.duration.ms=3000',
  'group.share.delivery.count.limit=10',
  'transaction.abort.timed.out.transaction.cleanup.interval.ms=1000',
]
const upMsLeast = 400
const longUp = 5
const stoppingMs = 150
const drainMs = 90_000
/** After so many kills everything is checked, by the command that users have. */
const wholeCheckEvery = 25
/** So many kills lie between two looks at what views show, and between two at all that they show. */
const viewEvery = 10
const wholeViewEvery = 100

export class Lab {
  readonly #plan: Plan
  readonly #history: History
  readonly #judge: Judge
  readonly #broker: ChildBroker
  readonly #chance: () => number
  readonly #writing = new AbortController()
  readonly #reading = new AbortController()
  #isEnough = false
  readonly #checked = new CheckedFiles((path) => identityOf(join(this.#broker.data, path)))
  #looks = 0
  /** How long the last start took, and when it was over. */
  #startMs = 300
  #upSince = performance.now()
  #auditor!: Auditor
  #players: Player[] = []
  #writers: Writer[] = []
  #readers: Reader[] = []
  #commander!: Commander

  constructor(plan: Plan, history: History, judge: Judge) {
    this.#plan = plan
    this.#history = history
    this.#judge = judge
    this.#chance = chanceFrom(plan.seed, 'kills')
    const options = settings.flatMap((setting) => ['--set', setting])
    this.#broker = new ChildBroker(builtBroker, options)
  }

  readonly #connect: Connect = (clientId) => WireClient.open(this.#broker.bootstrap, clientId)

  get folder(): string {
    return this.#broker.root
  }

  async run(): Promise<void> {
    const { seed, kills, clients } = this.#plan
    this.#history.tell({ t: 'open', seed, kills, clients: clients.map(({ name }) => name) })
    await this.#broker.start()
    await this.#prepare()
    const working = this.#load(this.#writing.signal)
    const consuming = Promise.all(this.#readers.map((reader) => reader.run(this.#reading.signal)))
    for (let n = 1; n <= kills && !this.#isEnough; n++) await this.#kill(n)
    this.#writing.abort()
    await working
    await this.#end(consuming)
  }

  /** No more kills; what is there is looked at as after the last one. */
  endSoon(): void {
    this.#isEnough = true
  }

  /** Whatever became of the run. */
  async close(): Promise<void> {
    this.#writing.abort()
    this.#reading.abort()
    for (const player of this.#players) await player.end()
    this.#auditor?.close()
    await this.#broker.end('SIGKILL')
  }

  async #prepare(): Promise<void> {
    const client = await WireClient.open(this.#broker.bootstrap, 'crash-lab')
    const wanted = [...topics].map(([name, partitions]) => ({ name, partitions, configs: configs[name] ?? {} }))
    await makeTopics(client, [
      ...wanted,
      { name: view, partitions: -1, configs: { 'view.of': 'rev', 'view.kind': 'history' } },
    ])
    const fromStart = [{ name: 'share.auto.offset.reset', configOperation: 0, value: 'earliest' }]
    const resources = [{ resourceType: 32, resourceName: shareGroup, configs: fromStart }]
    const { responses } = await client.ask(incrementalAlterConfigs, 1, { resources, validateOnly: false })
    if (responses[0]!.errorCode !== 0) throw new Error(`${shareGroup}: ${responses[0]!.errorMessage}`)
    client.close()
    this.#auditor = new Auditor(this.#connect, this.#history)
  }

  #load(signal: AbortSignal): Promise<unknown> {
    const { clients, seed } = this.#plan
    const { bootstrap } = this.#broker
    const player = (client: Client): Player => {
      const one = new Player(client, bootstrap)
      this.#players.push(one)
      return one
    }
    for (const client of clients) {
      this.#writers.push(new Writer(player(client), this.#history, chanceFrom(seed, `writes ${client.name}`)))
      this.#readers.push(new Reader(player(client), this.#history, chanceFrom(seed, `reads ${client.name}`)))
    }
    this.#commander = new Commander(parents, this.#connect, this.#history, chanceFrom(seed, 'commands'))
    return Promise.all([...this.#writers, this.#commander].map((each) => each.run(signal)))
  }

  async #kill(n: number): Promise<void> {
    // One of five lives so long that all clients are back and at work.
    const times = this.#chance() < 1 / 5 ? longUp : 1
    const upMs = upMsLeast + this.#chance() * Math.max(0, times * this.#plan.upMsMax - upMsLeast)
    // Clients go on while an audit reads; behind it comes a moment of chance in any case.
    await pause(Math.max(this.#chance() * upMsLeast, upMs - (performance.now() - this.#upSince)))
    const up = performance.now() - this.#upSince
    // One of eight has been told to stop, and is killed while it does.
    const isStopping = this.#chance() < 1 / 8
    const stopping = isStopping ? this.#broker.end('SIGTERM') : undefined
    if (isStopping) await pause(this.#chance() * stoppingMs)
    await this.#broker.end('SIGKILL')
    await stopping
    this.#look(n, up, isStopping ? 'stopping' : 'serving')
    // One of six is killed again while it starts: anywhere in the time that a start takes here.
    while (this.#chance() < 1 / 6) {
      const starting = this.#broker.start().catch(() => {})
      const soon = this.#chance() * this.#startMs
      await pause(soon)
      await this.#broker.end('SIGKILL')
      await starting
      this.#look(n, soon, 'starting')
    }
    const since = performance.now()
    await this.#broker.start()
    this.#upSince = performance.now()
    const ms = Math.round(this.#upSince - since)
    this.#startMs = ms
    this.#history.tell({ t: 'up', n, ms })
    const before = this.#judge.found.length
    await this.#auditor.audit(n, this.#topics, this.#groups)
    if (n % viewEvery === 0) await this.#auditor.revisions(view, 'rev', topics.get('rev')!, n % wholeViewEvery === 0)
    this.#say(n, up, ms, this.#judge.found.length - before)
  }

  #look(n: number, up: number, moment: string): void {
    this.#history.tell({ t: 'kill', n, upMs: Math.round(up), moment })
    const isWhole = moment === 'stopped' || ++this.#looks % wholeCheckEvery === 0
    const said = isWhole ? this.#broker.check() : this.#checkChanged()
    this.#history.tell({ t: 'check', n, clean: said === undefined, said: said ?? '' })
  }

  /** As `twiglog check`, but for what lies in files that it has read before. */
  #checkChanged(): string | undefined {
    const { findings } = checkStore(new PlainStore(this.#broker.data), this.#checked)
    const damages = findings.filter(({ kind }) => kind === 'damage')
    return damages.length === 0 ? undefined : damages.map((found) => JSON.stringify(found)).join('\n')
  }

  #say(n: number, up: number, ms: number, wrong: number): void {
    const of = (what: string) => this.#judge.checked.get(what) ?? 0
    const { fork, merge, revert } = this.#commander.done
    const words = [
      `kill ${n}/${this.#plan.kills}: up ${(up / 1000).toFixed(1)} s, back in ${ms} ms, check ${of('clean folders')} clean`,
      `${of('acknowledged records')} acknowledged, ${of('transactions committed')} + ${of('transactions aborted')} + ${of('transactions of unknown end')} transactions`,
      `${of('records read by groups')} read, ${of('committed offsets')} offsets, ${of('share acceptances')} shared`,
      `${fork} forks, ${merge} merges, ${revert} reverts`,
      wrong === 0 ? 'ok' : `${wrong} WRONG`,
    ]
    this.#plan.say(words.join('; '))
  }

  get #topics(): ReadonlyMap<string, number> {
    const branches = [...this.#commander.branches].map((name) => [name, 2] as const)
    return new Map([...topics, ...branches])
  }

  get #groups(): [string, string][] {
    const progress = this.#plan.clients.map(({ name }) => [`progress-${name}`, 'txn-a'] as [string, string])
    return [
      ...progress,
      ...this.#readers.flatMap(({ groups }) => groups.map(([group, topic]) => [group, topic] as [string, string])),
    ]
  }

  /** Nobody writes any more: readers go on to the end, then all is read from the start once more. */
  async #end(consuming: Promise<unknown>): Promise<void> {
    const { clients, kills, say } = this.#plan
    await this.#auditor.audit(kills + 1, this.#topics, this.#groups)
    const shares = clients.some(({ name }) => name !== 'kafkajs') ? [shareGroup] : []
    const groups = this.#readers.flatMap((reader) => reader.groups.map(([group]) => group))
    const giveUpAt = performance.now() + drainMs
    let left = ''
    do {
      await pause(500)
      await this.#auditor.audit(kills + 1, this.#topics, this.#groups)
      left = this.#judge.behind(groups, shares)
    } while (left !== '' && performance.now() < giveUpAt)
    this.#reading.abort()
    await consuming
    await this.#auditor.audit(kills + 2, this.#topics, this.#groups, true)
    await this.#auditor.revisions(view, 'rev', topics.get('rev')!, true)
    for (const topic of ['txn-a', 'txn-b', ...parents]) await this.#auditor.stable(topic, topics.get(topic)!)
    this.#history.tell({ t: 'drained', groups, shares })
    this.#auditor.stableMs = 30_000
    await this.#auditor.audit(kills + 3, this.#topics, this.#groups)
    await this.#broker.end('SIGTERM')
    const packs = packsIn(this.#broker.data)
    this.#look(kills + 1, 0, 'stopped')
    this.#history.tell({ t: 'over' })
    const failures = [...this.#writers, ...this.#readers, this.#commander].reduce((sum, each) => sum + each.failures, 0)
    say(
      `${packs} packs; ${failures} requests failed in the clients' eyes; refused commands: ${this.#commander.refused.length}`,
    )
    // What is in conflict is decided beforehand: nothing speaks against any of them.
    for (const refused of this.#commander.refused) this.#judge.wrong(`a command was refused: ${refused}`)
  }
}

const packsIn = (folder: string): number =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.pack')).length
