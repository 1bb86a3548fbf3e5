// The soak: one broker in a process of its own under a load of every kind, for as long as asked. It must do everything all the
// time, and hold no more after hours than after minutes.

import { setTimeout as pause } from 'node:timers/promises'
import { ChildBroker } from '../child-broker.ts'
import { type Client, Player } from '../crash-lab/casting.ts'
import { chanceFrom } from '../crash-lab/chance.ts'
import { Commander } from '../crash-lab/commanding.ts'
import { History } from '../crash-lab/history.ts'
import { Reader } from '../crash-lab/reading.ts'
import { parents, topics, Writer } from '../crash-lab/writing.ts'
import { WireClient } from '../wire-client.ts'
import { Asking } from './asking.ts'
import { type Trend, trendLine, trendsOf } from './flat.ts'
import { type Gauges, lineOf, readGauges } from './gauges.ts'
import { type Life, lives } from './lives.ts'

export type SoakPlan = {
  readonly seconds: number
  /** Where something was not done in this time, a slow machine gets so much more. */
  readonly patienceSeconds?: number
  readonly everySeconds: number
  readonly seed: number
  readonly main: string
  /** Where settling.ts is, built. */
  readonly settling: string
  readonly clients: readonly Client[]
  readonly say: (line: string) => void
  /** To Node itself, for whoever looks for a leak. */
  readonly ofNode?: readonly string[]
}

/** What became of one kind of load. */
export type Lived = { turns: number; failures: number; lastError: string }

export type Outcome = {
  readonly lived: ReadonlyMap<string, Lived>
  readonly readings: readonly Gauges[]
  readonly trends: readonly Trend[]
  /** Sentences; none where all is as it should be. */
  readonly wrong: readonly string[]
}

/** Logs that roll, are cleaned and packed all the time, and end up as long as they began. */
const segmentBytes = '65536'
const short = { 'internal.segment.bytes': segmentBytes, 'retention.bytes': '262144' }
const configs: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  rev: {
    'revision.diff': 'true',
    'internal.segment.bytes': '8192',
    'revision.pack.lag.ms': '200',
    'revision.keep': 'last:50',
  },
  // Branches bring keys of their own for ever.
  keyed: {
    ...short,
    'cleanup.policy': 'compact,delete',
    'internal.segment.bytes': segmentBytes,
    'min.cleanable.dirty.ratio': '0.2',
  },
}
const settings = [
  'log.retention.check.interval.ms=1000',
  'log.cleaner.backoff.ms=1000',
  'offsets.topic.num.partitions=3',
  'offsets.topic.segment.bytes=1048576',
  'transaction.state.log.num.partitions=3',
  'transaction.state.log.segment.bytes=1048576',
  'transactional.id.expiration.ms=10000',
  'transaction.remove.expired.transaction.cleanup.interval.ms=2000',
  'transaction.abort.timed.out.transaction.cleanup.interval.ms=1000',
  'producer.id.expiration.ms=10000',
  'share.coordinator.state.topic.num.partitions=3',
  'group.initial.rebalance.delay.ms=0',
  'group.share.delivery.count.limit=10',
  'group.share.min.record.lock.duration.ms=3000',
  'group.share.record.lock.duration.ms=3000',
  'connections.max.idle.ms=30000',
]
/** A life of which more than one turn in ten fails is not lived. */
const failuresPart = 0.1

export class Soak {
  readonly #plan: SoakPlan
  readonly broker: ChildBroker
  readonly #over = new AbortController()
  readonly #history = new History('/dev/null')
  readonly #lived = new Map<string, Lived>()
  readonly #players: Player[] = []
  readonly #readings: Gauges[] = []
  #since = 0

  constructor(plan: SoakPlan) {
    this.#plan = plan
    const options = [...settings.flatMap((setting) => ['--set', setting]), '--http-port', '0']
    this.broker = new ChildBroker(plan.main, options, ['--import', plan.settling, ...(plan.ofNode ?? [])])
  }

  async run(): Promise<Outcome> {
    await this.broker.start()
    await this.#prepare()
    this.#since = performance.now()
    const working = this.#load()
    await this.#watch()
    this.#over.abort()
    await working
    const wrong = this.#broken()
    if (this.broker.isRunning) await this.broker.end('SIGTERM')
    wrong.push(...this.#complaints())
    const said = this.broker.check()
    if (said !== undefined) wrong.push(said)
    const trends = trendsOf(this.#readings)
    for (const trend of trends) this.#plan.say(trendLine(trend))
    wrong.push(...trends.filter(({ isFlat }) => !isFlat).map(trendLine))
    return { lived: this.#lived, readings: this.#readings, trends, wrong }
  }

  /** Ends the load; `run` goes on to its judgement. */
  endSoon(): void {
    this.#over.abort()
  }

  /** Whatever became of it. */
  async close(): Promise<void> {
    this.#over.abort()
    for (const player of this.#players) await player.end()
    await this.broker.end('SIGKILL')
    this.#history.close()
  }

  async #prepare(): Promise<void> {
    using asking = await Asking.open(this.broker.bootstrap)
    for (const [name, partitions] of topics)
      await asking.create(name, partitions, configs[parents.includes(name) ? 'keyed' : name] ?? short)
    for (const name of ['__branch_commands', '__branches']) await asking.id(name, true)
  }

  get #seconds(): number {
    return (performance.now() - this.#since) / 1000
  }

  /** A line every so often, until the time is over or the broker is. */
  async #watch(): Promise<void> {
    const { seconds, patienceSeconds = 120, everySeconds, say } = this.#plan
    const looks: Lived = { turns: 0, failures: 0, lastError: '' }
    this.#lived.set('looks', looks)
    const isOver = () =>
      this.#seconds >= seconds && (this.#undone().length === 0 || this.#seconds >= seconds + patienceSeconds)
    for (let next = 0; !isOver() && !this.#over.signal.aborted && this.broker.isRunning; ) {
      if (this.#seconds < next) {
        await pause(Math.min(1, next - this.#seconds) * 1000)
        continue
      }
      next += everySeconds
      looks.turns++
      try {
        const reading = await readGauges(this.broker, this.#seconds)
        this.#readings.push(reading)
        say(lineOf(reading))
      } catch (problem) {
        // A machine on which nobody gets on is no reason to end.
        looks.failures++
        looks.lastError = (problem as Error).message
        say(`${Math.round(this.#seconds)} s: not told (${looks.lastError})`)
      }
    }
  }

  async #load(): Promise<void> {
    const { clients, seed } = this.#plan
    const { bootstrap } = this.broker
    const { signal } = this.#over
    const player = (client: Client): Player => {
      const one = new Player(client, bootstrap)
      this.#players.push(one)
      return one
    }
    const running: Promise<unknown>[] = lives.map((life) => this.#live(life))
    for (const client of clients) {
      const writer = new Writer(player(client), this.#history, chanceFrom(seed, `writes ${client.name}`))
      const reader = new Reader(player(client), this.#history, chanceFrom(seed, `reads ${client.name}`))
      running.push(writer.run(signal), reader.run(signal))
    }
    const commander = new Commander(
      parents,
      (clientId) => WireClient.open(bootstrap, clientId),
      this.#history,
      chanceFrom(seed, 'commands'),
    )
    this.#count()
    await Promise.all([...running, commander.run(signal)])
    const { fork, merge, revert, abandon } = commander.done
    const said = `${fork} forks, ${merge} merges, ${revert} reverts, ${abandon} dropped`
    this.#plan.say(`${said}; ${commander.refused.length} refused: ${commander.refused.at(-1) ?? ''}`)
  }

  /** What clients were answered, by what they told the history. */
  #count(): void {
    const kinds: Readonly<Record<string, string>> = {
      acked: 'writes',
      ended: 'transactions',
      committed: 'reads',
      commanded: 'commands',
    }
    for (const kind of Object.values(kinds)) this.#lived.set(kind, { turns: 0, failures: 0, lastError: '' })
    this.#history.onEach((happened) => {
      const kind = kinds[happened.t]
      if (kind === undefined || (happened.t === 'ended' && happened.outcome === 'unknown')) return
      this.#lived.get(kind)!.turns++
    })
  }

  async #live({ name, restMs, live }: Life): Promise<void> {
    const lived: Lived = { turns: 0, failures: 0, lastError: '' }
    this.#lived.set(name, lived)
    const { bootstrap, http } = this.broker
    for (let turn = 1; !this.#over.signal.aborted; turn++) {
      try {
        using asking = await Asking.open(bootstrap)
        await live(asking, turn, { bootstrap, http })
      } catch (problem) {
        lived.failures++
        lived.lastError = (problem as Error).message.slice(0, 300)
        if (lived.failures <= 3) this.#plan.say(`${name}, turn ${turn}: ${lived.lastError}`)
      }
      lived.turns++
      await pause(restMs)
    }
  }

  #broken(): string[] {
    const wrong = this.#undone().map((name) => `${name}: nothing was done; ${this.#lived.get(name)?.lastError ?? ''}`)
    if (!this.broker.isRunning) wrong.push(`the broker has ended: ${this.broker.said.slice(-2000)}`)
    for (const [name, { turns, failures, lastError }] of this.#lived)
      if (failures > Math.max(2, failuresPart * turns))
        wrong.push(`${name}: ${failures} of ${turns} failed; ${lastError}`)
    return wrong
  }

  /** Nothing of all this is a reason to complain. */
  #complaints(): string[] {
    const lines = this.broker.complaints.split('\n').filter((line) => line !== '')
    const shown = [...new Set(lines)].slice(0, 5).map((line) => line.slice(0, 300))
    return lines.length === 0 ? [] : [`${lines.length} lines on standard error, such as: ${shown.join(' | ')}`]
  }

  /** Kinds of load that have not come about yet. */
  #undone(): string[] {
    const undone = [...this.#lived].filter(([, { turns, failures }]) => turns === failures).map(([name]) => name)
    return (this.#readings.at(-1)?.packs ?? 0) === 0 ? [...undone, 'packs'] : undone
  }
}
