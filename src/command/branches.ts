// Branches as handlers, commands and programs know them: what can be done, and who is told of it.

import { Refusal } from '../../protocol/errors.ts'
import type { Requester } from '../auth/authorizer.ts'
import type { ForkCommand, ResetCommand } from '../branch/commands.ts'
import { type BranchEvent, Rejection } from '../branch/events.ts'
import { jsonTopics } from '../branch/json-topics.ts'
import type { ForkRecord, PlantedCommit } from '../branch/lineage.ts'
import { eventOf } from '../branch/lineage-event.ts'
import type { Topic } from '../broker/topic.ts'
import { afterOthers } from '../log/walk.ts'
import { randomId } from '../storage/clock.ts'
import { Abandoning } from './abandoning.ts'
import { Asking } from './asking.ts'
import { CommandLoop } from './command-loop.ts'
import { diskRefusal } from './disk-refusal.ts'
import { type Doors, noDoors } from './doors.ts'
import { forkPlanEvent, forkRequestOf, rejectionOf } from './fork-command.ts'
import { plantMissing } from './fork-groups.ts'
import { type ForkRefusals, planFork } from './fork-plan.ts'
import type { ForkRequest } from './fork-request.ts'
import { carryOut, giveRoomUp, makeRoom, type Rooms } from './forking.ts'
import { History, isOfTheDisk } from './history.ts'
import { IdleBranches } from './idle-branches.ts'
import { IdleViews } from './idle-views.ts'
import { listening } from './listening.ts'
import { MergeOperations } from './merge-operations.ts'
import { partitionsOf, refuseMutation } from './mutation-quota.ts'
import type { Call, Operations } from './operations.ts'
import { Promoting } from './promoting.ts'
import { ReadyRooms } from './ready-rooms.ts'
import { resetRequestsOf } from './reset-command.ts'
import { forbidden, forbiddenForks } from './rights.ts'
import { SetEndings } from './set-endings.ts'
import { subjectsOf } from './subjects.ts'

type OnForked = (record: ForkRecord) => Promise<void>

export class Branches {
  readonly history: History
  readonly #rooms: Rooms
  readonly #doors: Doors
  readonly #endings: SetEndings
  readonly #abandoning: Abandoning
  readonly #promoting: Promoting
  readonly #loop: CommandLoop
  readonly #idle: IdleBranches
  readonly #idleViews: IdleViews
  readonly #ready: ReadyRooms
  readonly #merges: MergeOperations
  readonly #asking: Asking
  readonly #onForked: OnForked[] = []
  /** Forks under way, by the names that they give. */
  readonly #making = new Map<string, Promise<void>>()
  #begun = false
  /** Of resets that a kill has cut off. */
  #unplanted: PlantedCommit[] = []
  /** What a kill has left is finished: commands may be run. */
  #isSettled = false
  #settle = () => {}
  /** Resolves when all is known that a fork looks at: groups, transactions, and the merges that a kill left half done. */
  readonly settled: Promise<void>

  constructor(rooms: Rooms, doors: Doors = noDoors) {
    this.#rooms = rooms
    this.#doors = doors
    this.settled = new Promise((resolve) => {
      this.#settle = resolve
    })
    this.#endings = new SetEndings(rooms, doors)
    const { broker } = rooms
    for (const topic of jsonTopics) broker.own.reserve(topic)
    this.history = new History(broker)
    this.#abandoning = new Abandoning(broker, this.history)
    this.#promoting = new Promoting(rooms, this.history)
    this.#abandoning.onAbandoned(() => this.#endings.look())
    this.#asking = new Asking(broker, this.history)
    const { history } = this
    this.#merges = new MergeOperations(rooms, history)
    const subjects = subjectsOf(broker)
    this.#loop = new CommandLoop({
      broker,
      history,
      operations: this.#operations(),
      untold: (id) => this.#untold(id),
      forbidden: (command, call) => forbidden(command, call, subjects, broker.authorizer),
    })
    broker.onTopicCreated(() => {
      if (this.#isSettled) this.#loop.attend()
    })
    this.#idle = new IdleBranches(rooms.broker)
    this.#idleViews = new IdleViews(rooms.broker)
    this.#ready = new ReadyRooms(broker)
    broker.losses.onLost((record) => {
      if (this.#begun) void this.history.tell(eventOf(record))
    })
  }

  /** What commands can ask for. */
  #operations(): Operations {
    return {
      fork: (command, call) => this.#forkAsCommanded(command, call),
      abandon: this.#abandoning.execute,
      promote: async (command, call) => {
        const result = await this.#promoting.execute(command, call)
        await this.#endings.look()
        return result
      },
      listen: listening(this.#rooms.broker, this.#doors, this.history),
      reset: (command, call) => this.#reset(command, call),
      plan: this.#merges.plan,
      merge: this.#merges.merge,
      resolve: this.#merges.resolve,
      revert: this.#merges.revert,
    }
  }

  /** What is true already under this id, if only its event is missing. Rejects with StorageError where only a start can tell. */
  async #untold(id: string): Promise<BranchEvent | undefined> {
    const { broker } = this.#rooms
    const record = broker.lineage.tellable.find((one) => one.id === id)
    if (record === undefined) return await this.#merges.untold(id)
    await broker.settled()
    return eventOf(record)
  }

  // --- life

  /** Reads the history and tells what a kill has kept from it. */
  async load(): Promise<void> {
    await this.#rooms.broker.settled()
    const inOrder = this.#rooms.broker.lineage.tellable.sort((a, b) => a.at - b.at)
    const untold = inOrder.map((record) => {
      const { command } = record
      return { event: eventOf(record), ...(command === undefined ? {} : { command }) }
    })
    try {
      const late = await this.history.load(untold)
      // One that the disk refused behind its commit point was told to be rejected.
      const isCutOff = ({ id }: ForkRecord) => late.has(id) || this.history.result(id)?.type !== 'reset'
      const resets = inOrder.filter((one) => one.type === 'fork' && one.commits !== undefined && isCutOff(one))
      this.#unplanted = resets.flatMap((one) => ('commits' in one ? (one.commits ?? []) : []))
    } catch (cause) {
      if (!isOfTheDisk(cause)) throw cause
      console.error(`The history of branches cannot be read, and no command is run: ${String(cause)}`)
      return
    }
    for (const { event } of untold) this.#rooms.broker.lineage.told(event.id)
    this.#begun = true
  }

  /** Commands are run from now on; whatever they need is there, transactions too. */
  async begin(): Promise<void> {
    void this.#endings.sweep()
    if (!this.#begun) return this.#settle()
    await this.#merges.load()
    await plantMissing(this.#unplanted.splice(0), this.#rooms.groups)
    for (const record of [...this.#rooms.broker.lineage.promotions.values()]) await this.#promoting.finish(record)
    this.#isSettled = true
    this.#settle()
    this.#loop.attend()
  }

  /** Resolves when the command under way is done. */
  async stop(): Promise<void> {
    this.#settle()
    await this.#loop.stop()
    this.#asking.stop()
    await this.history.stop()
    await this.#ready.stop()
  }

  /** As fresh: all topics are about to be deleted. */
  reset(): void {
    this.#loop.reset()
    this.#asking.reset()
    this.history.reset()
    this.#merges.reset()
  }

  /** Sets that are left without members go too, and what lived in them. Rejects with StorageError. */
  async endSets(): Promise<void> {
    const { broker } = this.#rooms
    const labels = [...broker.lineage.sets.keys()]
    if (labels.length > 0) await broker.noteLineage(labels.map((set) => ({ v: 1, type: 'set-removed', set })))
    await this.#endings.look()
  }

  /** Has a command run and gives its result, as somebody who produced it would read it. */
  ask(command: object, by: string): Promise<BranchEvent> {
    return this.#asking.ask(command, by)
  }

  // --- forks

  /** Calls `listener` when a fork is true; whoever asked for it is answered after that. */
  onForked(listener: OnForked): void {
    this.#onForked.push(listener)
  }

  /** Deletes branches and views that nobody has used for as long as they say. */
  async expire(): Promise<void> {
    const { broker } = this.#rooms
    for (const topic of this.#idle.expired()) {
      if (broker.topicById(topic.id) === topic) await this.deleteTopic(topic, 'branch.ttl.ms')
    }
    const views = this.#idleViews.expired()
    if (views.length > 0) await broker.deleteTopics(views)
  }

  /** What stands against a fork, by the names of its branches; nothing is done. */
  check(request: ForkRequest): ForkRefusals {
    const { broker, groups } = this.#rooms
    const foreign = forbiddenForks(request.topics, request, broker.authorizer)
    return foreign.size > 0 ? foreign : planFork(request, broker, groups).refusals
  }

  /** Whether somebody may not make a view of a topic, which shows all of its records. */
  forbiddenView(of: string, name: string, { principal: by, host }: Requester): Refusal | undefined {
    return forbiddenForks([{ from: of, to: name }], { by, host }, this.#rooms.broker.authorizer).get(name)
  }

  /** One cut: all topics are there and durable when it resolves, or none is and the refusals tell why. */
  async fork(request: ForkRequest): Promise<ForkRecord | ForkRefusals> {
    const { broker, groups } = this.#rooms
    const foreign = forbiddenForks(request.topics, request, broker.authorizer)
    if (foreign.size > 0) return foreign
    const made = await makeRoom(request.topics, broker, this.#ready).catch(diskRefusal)
    if (made instanceof Refusal) return new Map(request.topics.map(({ to }) => [to, made]))
    await afterOthers()
    for (let other = this.#inTheWay(request); other !== undefined; other = this.#inTheWay(request)) await other
    // Judged and cut in the same turn.
    const { planned, refusals } = planFork(request, broker, groups)
    if (refusals.size > 0) {
      await giveRoomUp(made, broker)
      return refusals
    }
    const { id = `fork-${randomId(broker.clock)}`, by, set, command, isReset = false } = request
    const record = await this.#named(request, carryOut(planned, made, { id, by, set, command, isReset }, this.#rooms))
    if (record instanceof Refusal) return new Map(request.topics.map(({ to }) => [to, record]))
    for (const listener of this.#onForked) await listener(record)
    await this.history.tell(eventOf(record), true)
    return record
  }

  /**
   * A cut through a merge that is just being written would not know what it is. And who asks for what is just being made is told
   * that it exists when it does.
   */
  #inTheWay({ topics }: ForkRequest): Promise<void> | undefined {
    const { broker } = this.#rooms
    const parents = broker.gates.anyClosed ? topics.flatMap(({ from }) => broker.topic(from)?.partitions ?? []) : []
    const closed = parents.find(({ gate }) => gate.closed !== undefined)?.gate.closed
    return closed ?? topics.flatMap(({ to }) => this.#making.get(to) ?? [])[0]
  }

  /** The names of a fork until they are given, or free again. */
  async #named<T>({ topics }: ForkRequest, fork: Promise<T>): Promise<T> {
    const over = fork.then(
      () => {},
      () => {},
    )
    for (const { to } of topics) this.#making.set(to, over)
    try {
      return await fork
    } finally {
      for (const { to } of topics) this.#making.delete(to)
    }
  }

  async #forkAsCommanded(command: ForkCommand, call: Call): Promise<BranchEvent | Rejection> {
    const { broker, groups } = this.#rooms
    const request = forkRequestOf(command, call, broker)
    if (request instanceof Rejection) return request
    const throttled = refuseMutation(partitionsOf(request, broker), call, broker)
    if (throttled !== undefined) return throttled
    if (command.dryRun) {
      const { planned, refusals } = planFork(request, broker, groups)
      if (refusals.size > 0) return rejectionOf(refusals, request)
      return this.history.write(forkPlanEvent(request, planned, broker.clock.now()))
    }
    const outcome = await this.fork(request)
    return 'topics' in outcome ? eventOf(outcome) : rejectionOf(outcome, request)
  }

  async #reset(command: ResetCommand, call: Call): Promise<BranchEvent | Rejection> {
    const { broker } = this.#rooms
    const requests = resetRequestsOf(command, call, broker)
    if (requests instanceof Rejection) return requests
    const throttled = refuseMutation(partitionsOf(requests, broker), call, broker)
    if (throttled !== undefined) return throttled
    if (command.dryRun) {
      const foreign = forbiddenForks(requests.topics, requests, broker.authorizer)
      if (foreign.size > 0) return rejectionOf(foreign, requests)
      const { planned, refusals } = planFork(requests, broker, this.#rooms.groups)
      if (refusals.size > 0) return rejectionOf(refusals, requests)
      return this.history.write({ ...forkPlanEvent(requests, planned, broker.clock.now()), op: 'reset' })
    }
    const outcome = await this.fork(requests)
    return 'topics' in outcome ? eventOf(outcome) : rejectionOf(outcome, requests)
  }

  // --- the end of branches

  /** Deletes a topic, be it a branch or not. Rejects with StorageError. */
  async deleteTopic(topic: Topic, by: string): Promise<void> {
    const { broker } = this.#rooms
    if (broker.lineage.branches.has(topic.id)) await this.#abandoning.abandon({ by, topics: [topic] })
    else await broker.deleteTopic(topic)
  }
}
