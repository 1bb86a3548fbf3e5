// One simulation: clients of every kind around a broker whose time, network and disk are made up, from one seed; everything that
// was asked, answered and found is held against the judge of the crash lab, which knows what must be true.

import { createHash } from 'node:crypto'
import { incrementalAlterConfigs } from '../../protocol/messages/44-incremental-alter-configs.ts'
import { Auditor } from '../crash-lab/audit.ts'
import { chanceFrom } from '../crash-lab/chance.ts'
import { Commander } from '../crash-lab/commanding.ts'
import type { Happened, Place, Telling } from '../crash-lab/history.ts'
import { Judge } from '../crash-lab/judge.ts'
import { isOfTheConnection } from '../crash-lab/log-reader.ts'
import { makeTopics } from '../crash-lab/making.ts'
import { type Connect, WireClient } from '../wire-client.ts'
import { Caller } from './caller.ts'
import { ClassicMember } from './classic-member.ts'
import { Follower } from './follower.ts'
import { Gardens } from './gardens.ts'
import { GroupReading } from './group-reading.ts'
import { HandingOut } from './handing-out.ts'
import { Loop } from './loop.ts'
import { Machine, port, sound } from './machine.ts'
import { Member } from './member.ts'
import { calm, Network } from './network.ts'
import { Ownership } from './ownership.ts'
import type { Step } from './plan.ts'
import { Producer } from './producer.ts'
import { classic, configOf, deliveriesMax, others, subscribed, topics, view, workers } from './scene.ts'
import { Sharer } from './sharer.ts'
import { Transactor } from './transactor.ts'

const rounds = 60
/** Less than what a record may lie ahead of the broker's time (message.timestamp.after.max.ms). */
const skewMsMax = 3_000_000

export type Ran = {
  /** Of everything that arrived anywhere, in its order and at its time. */
  readonly trace: string
  readonly found: readonly string[]
  readonly checked: ReadonlyMap<string, number>
  readonly history: readonly string[]
  readonly simulatedMs: number
  readonly events: number
  readonly kills: number
  readonly powerCuts: number
}

/** What somebody does one thing after the other, while others go on. */
class Line {
  #waiting = 0
  last: Promise<void> = Promise.resolve()

  /** Whoever has enough to do is not given more. */
  add(task: () => Promise<void>, failed: (problem: Error) => void): void {
    if (this.#waiting > 2) return
    this.#waiting++
    this.last = this.last
      .then(task)
      .catch(failed)
      .finally(() => this.#waiting--)
  }
}

export class Simulation implements Telling {
  readonly #seed: number
  readonly #judge = new Judge()
  readonly #loop: Loop
  readonly #network: Network
  readonly #machine: Machine
  readonly #trace = createHash('sha256')
  readonly #history: string[] = []
  readonly #producers: Producer[]
  readonly #transactors: Transactor[]
  readonly #members: (Member | ClassicMember)[]
  readonly #sharers: Sharer[]
  readonly #handing: HandingOut
  readonly #gardens: Gardens
  /** What is acknowledged is on stable storage: the power may fail. */
  readonly #isFlushed: boolean
  readonly #followers: readonly Follower[]
  readonly #commander: Commander
  readonly #auditor: Auditor
  readonly #lines = new Map<object, Line>()
  #calls = 0

  private constructor(seed: number) {
    this.#seed = seed
    const chance = (whose: string) => chanceFrom(seed, whose)
    this.#loop = new Loop(chance('broker'))
    this.#network = new Network(this.#loop, chance('network'), (what, bytes) => this.#note(what, bytes))
    this.#isFlushed = chance('promise')() < 0.4
    const config = configOf(this.#isFlushed)
    const world = { loop: this.#loop, network: this.#network, chance: chance('disk'), config }
    this.#machine = new Machine(
      world,
      (what) => this.#note(what),
      (what) => this.#wrong(what),
    )
    const connect: Connect = async (name) => WireClient.over(await this.#network.connect(port), name)
    const caller = (name: string) => new Caller(this.#loop, connect, name)
    this.#producers = [true, true, false].map(
      (isIdempotent, i) => new Producer(`p${i}`, isIdempotent, caller(`p${i}`), this, chance(`producer ${i}`)),
    )
    const transactor = (name: string, isNew: boolean, id = name) => new Transactor(name, isNew, caller(name), this, id)
    this.#transactors = [transactor('t0', true), transactor('t1', false), transactor('t2', true, 't0')]
    const ownership = new Ownership(
      (what) => this.#wrong(what),
      () => this.#judge.right('partitions with one owner'),
    )
    // With one connection for both: who finds it closed has another made.
    const reading = (of: number, id: string, one: Caller) =>
      new GroupReading(subscribed[of] ?? classic, id, one, this, ownership)
    this.#members = [0, 0, 0, 1, 1, 2, 2, 2].map((of, i) => {
      const id = `m${i}`
      const one = caller(id)
      return of < 2 ? new Member(id, one, reading(of, id, one)) : new ClassicMember(one, reading(of, id, one), 3)
    })
    const wrong = (what: string) => this.#wrong(what)
    this.#handing = new HandingOut(workers.topic, deliveriesMax, wrong, () => this.#judge.right('records handed out'))
    this.#machine.onEnd = () => this.#handing.letGoOfAll(this.#loop.now)
    this.#sharers = ['s0', 's1'].map((id) => new Sharer(workers, id, caller(id), this.#handing, chance(id)))
    const right = (what: string) => this.#judge.right(what)
    this.#gardens = new Gardens({ connect, history: this, caller, chance, wrong, right })
    this.#machine.onPowerCut = this.#gardens.powerCut
    this.#followers = ['idem', 'rev'].map(
      (topic) => new Follower({ topic, partition: 0 }, caller(`follower of ${topic}`), this),
    )
    this.#commander = new Commander(['keyed'], connect, this, chance('commands'))
    this.#auditor = new Auditor(connect, this)
  }

  /** `steps` of the seed, all of them or those that are left. */
  static async run(seed: number, steps: readonly Step[]): Promise<Ran> {
    const simulation = new Simulation(seed)
    return await simulation.#run(steps)
  }

  // --- what is told

  tell(happened: Happened): void {
    const line = JSON.stringify({ at: Math.round(this.#loop.now), ...happened })
    this.#history.push(line)
    this.#trace.update(line)
    this.#judge.take(happened)
    this.#handing.take(happened, this.#loop.now)
  }

  nextCall(): number {
    return ++this.#calls
  }

  #note(what: string, bytes?: Buffer): void {
    this.#trace.update(`${this.#loop.now} ${what}`)
    if (bytes !== undefined) this.#trace.update(bytes)
  }

  #say(what: string): void {
    this.#history.push(`${Math.round(this.#loop.now)} ${what}`)
  }

  #wrong(what: string): void {
    this.#say(`WRONG: ${what}`)
    this.#judge.wrong(what)
  }

  // --- the run

  async #run(steps: readonly Step[]): Promise<Ran> {
    const uninstall = this.#loop.install()
    const { error } = console
    console.error = (...words: unknown[]) => this.#heard(words)
    const astray = (cause: unknown) => this.#wrong(`nobody has caught: ${(cause as Error).stack}`)
    process.on('unhandledRejection', astray)
    try {
      await this.#loop.until(this.#play(steps))
    } catch (problem) {
      this.#wrong(`it does not go on: ${(problem as Error).stack}`)
    } finally {
      process.off('unhandledRejection', astray)
      console.error = error
      uninstall()
    }
    return {
      trace: this.#trace.digest('hex'),
      found: this.#judge.found,
      checked: this.#judge.checked,
      history: this.#history,
      simulatedMs: this.#loop.now,
      events: this.#loop.count,
      kills: this.#machine.kills,
      powerCuts: this.#machine.powerCuts,
    }
  }

  /** What the broker says of itself. */
  #heard(words: readonly unknown[]): void {
    const said = words.map((word) => (word instanceof Error ? (word.stack ?? word.message) : String(word))).join(' ')
    this.#say(`the broker: ${said}`)
    if (said.includes('mistake of ours')) this.#wrong(said)
  }

  async #play(steps: readonly Step[]): Promise<void> {
    await this.#machine.start()
    const client = WireClient.over(await this.#network.connect(port), 'simulation')
    await makeTopics(client, [...topics, ...others, view])
    await fromStart(client, workers.group)
    client.close()
    for (const step of steps) await this.#take(step)
    await this.#end()
  }

  #do(who: object, task: () => Promise<void>): void {
    const line = this.#lines.get(who) ?? new Line()
    this.#lines.set(who, line)
    line.add(task, (problem) => this.#wrong(`a client: ${problem.stack}`))
  }

  async #take({ n, deed }: Step): Promise<void> {
    const chance = chanceFrom(this.#seed, `step ${n}`)
    const below = (count: number) => Math.floor(chance() * count)
    const machine = this.#machine
    if (!this.#machine.isRunning) await this.#rise(chance)
    await this.#loop.pause(chance() < 0.7 ? 40 * chance() : 800 * chance())
    this.#say(`step ${n}: ${deed}`)
    const life = this.#gardens.life(deed)
    if (life !== undefined) return this.#do(life, life)
    switch (deed) {
      case 'send': {
        const producer = this.#producers[below(3)]!
        const topic = producer === this.#producers[2] ? topics[0]! : topics[1 + below(3)]!
        const [place, batches] = [{ topic: topic.name, partition: below(topic.partitions) }, 1 + below(3)]
        return this.#do(producer, () => producer.send(place, batches))
      }
      case 'transact': {
        const transactor = this.#transactors[below(5) % 3]!
        const places: Place[] = [
          { topic: 'txn-a', partition: below(2) },
          { topic: 'txn-b', partition: 0 },
          { topic: 'txn-a', partition: below(2) },
        ].slice(0, 1 + below(3))
        const stallMs = chance() < 0.1 ? 20_000 * chance() : 50 * chance()
        const outcome = chance() < 0.75 ? 'commit' : 'abort'
        return this.#do(transactor, () => transactor.transact(places, outcome, stallMs))
      }
      case 'poll': {
        const member = this.#members[below(this.#members.length)]!
        return this.#do(member, () => member.poll())
      }
      case 'leave': {
        const member = this.#members[below(this.#members.length)]!
        return this.#do(member, () => member.leave())
      }
      case 'work': {
        const sharer = this.#sharers[below(this.#sharers.length)]!
        return this.#do(sharer, () => (chance() < 0.05 ? sharer.leave() : sharer.poll()))
      }
      case 'command':
        return this.#do(this.#commander, () => this.#commander.live())
      case 'follow': {
        const follower = this.#followers[below(2)]!
        return this.#do(follower, () => follower.follow())
      }
      case 'kill':
        machine.kill()
        return await this.#rise(chance)
      case 'power cut':
        if (this.#isFlushed) machine.cutPower(chance())
        else machine.kill()
        return await this.#rise(chance)
      case 'kill at an operation':
        machine.killIn(below(60))
        await this.#loop.pause(300)
        return await this.#rise(chance)
      case 'stop':
        if (chance() < 0.3) machine.killIn(below(40))
        await machine.stop()
        return await this.#rise(chance)
      case 'cut':
        this.#handing.letGoOfAll(this.#loop.now)
        return this.#network.cutOne()
      case 'weather':
        this.#network.weather =
          chance() < 0.4 ? calm : { latencyMs: 1 + 40 * chance(), loss: 0.05 * chance(), cuts: chance() }
        return
      case 'slow disk':
        machine.condition = { ...machine.condition, flushMs: chance() < 0.5 ? 2 : 1500 * chance() }
        return
      case 'full disk': {
        machine.condition = { ...machine.condition, isFull: true }
        await this.#loop.pause(500 * chance())
        machine.condition = { ...machine.condition, isFull: false }
        return
      }
      case 'clock':
        this.#loop.skewMs = chance() < 0.3 ? 0 : Math.round((chance() - 0.5) * skewMsMax)
        return
      case 'few descriptors': {
        machine.condition = { ...machine.condition, isShort: true }
        await this.#loop.pause(500 * chance())
        machine.condition = { ...machine.condition, isShort: false }
        return
      }
      case 'broken disk': {
        // What could not be flushed is lost when the power goes: nobody may have been told that it was kept.
        machine.condition = { ...machine.condition, isBroken: true }
        await this.#loop.pause(500 * chance())
        machine.condition = { ...machine.condition, isBroken: false }
        if (this.#isFlushed && chance() < 0.5) machine.cutPower(chance())
        else machine.kill()
        return await this.#rise(chance)
      }
      case 'audit':
        return await this.#audit(n)
      case 'wait':
        return await this.#loop.pause(12_000 * chance())
    }
  }

  /** Until it serves; it may be killed again while it starts. */
  async #rise(chance: () => number): Promise<void> {
    while (!this.#machine.isRunning) {
      await this.#loop.pause(1000 * chance())
      const starting = this.#machine.start()
      if (chance() < 0.2) this.#machine.killIn(Math.floor(chance() * 40))
      await starting
    }
  }

  async #audit(n: number, whole = false): Promise<void> {
    if (!this.#machine.isUp) return
    const before = this.#network.weather
    this.#network.weather = calm
    const branches = [...this.#commander.branches].map((name) => [name, 2] as const)
    const all = new Map([...topics.map(({ name, partitions }) => [name, partitions] as const), ...branches])
    const groups: [string, string][] = [
      ...this.#transactors.map(({ group }) => [group, 'txn-a'] as [string, string]),
      ...[...subscribed, classic].map(({ group, topic }) => [group, topic] as [string, string]),
    ]
    try {
      await this.#auditor.audit(n, all, groups, whole)
    } catch (problem) {
      // Killed meanwhile, perhaps before anybody was there to connect to, or a connection was cut.
      if (whole || (this.#machine.isUp && !isOfTheConnection(problem))) throw problem
      this.#say(`no audit: ${(problem as Error).message}`)
    }
    this.#network.weather = before
  }

  /** Nothing fails any more: everybody comes to an end, and everything is looked at from its start. */
  async #end(): Promise<void> {
    this.#say('the end')
    this.#network.weather = calm
    this.#machine.condition = sound
    this.#machine.spare()
    if (!this.#machine.isRunning) await this.#rise(() => 0.5)
    for (const line of this.#lines.values()) await line.last
    // Transactions that their producers have left are ended by the broker.
    this.#auditor.stableMs = 30_000
    const groups = [...subscribed, classic].map(({ group }) => group)
    let left = ''
    for (let i = 0; i < rounds; i++) {
      // At once: who joins a classic group waits for the others.
      const all = [...this.#members.map((each) => each.poll()), ...this.#sharers.map((each) => each.poll(true))]
      await Promise.all(all)
      await this.#loop.pause(900)
      if (i % 10 !== 9) continue
      await this.#audit(1_000_000 + i)
      left = this.#judge.behind(groups, []) || this.#handing.behind()
      if (left === '') break
    }
    if (this.#handing.behind() !== '') this.#wrong(this.#handing.behind())
    await this.#gardens.lookAnew()
    await this.#audit(2_000_000, true)
    await this.#auditor.revisions(view.name, 'rev', 1, true)
    for (const { name, partitions } of topics) if (transacted(name)) await this.#auditor.stable(name, partitions)
    for (const refused of this.#commander.refused) this.#say(`refused: ${refused}`)
    const strange = this.#commander.refused.filter((refused) => !excuses.some((word) => refused.includes(word)))
    for (const refused of strange) this.#wrong(`a command that nothing speaks against was refused: ${refused}`)
    this.tell({ t: 'drained', groups: this.#hasRead(groups), shares: [] })
    await this.#audit(3_000_000)
    this.#auditor.close()
    await this.#machine.stop()
    this.tell({ t: 'over' })
  }

  /** A plan may have brought nothing to read. */
  #hasRead(groups: readonly string[]): string[] {
    return groups.filter((group) => this.#history.some((line) => line.includes(`"t":"read","group":"${group}"`)))
  }
}

/** A disk that was full or broken, or nobody there for a minute. */
const excuses = ['KAFKA_STORAGE_ERROR', 'no result within']

/** Merges are transactions too. */
const transacted = (topic: string): boolean => topic.startsWith('txn') || topic === 'keyed'

/** A share group begins at the end of a topic, unless it is told otherwise. */
async function fromStart(client: WireClient, group: string): Promise<void> {
  const configs = [{ name: 'share.auto.offset.reset', configOperation: 0, value: 'earliest' }]
  const resources = [{ resourceType: 32, resourceName: group, configs }]
  const { responses } = await client.ask(incrementalAlterConfigs, 1, { resources, validateOnly: false })
  if (responses[0]!.errorCode !== 0) throw new Error(`${group}: ${responses[0]!.errorMessage}`)
}
