// Runs what is produced to `__branch_commands`, one command after the other, and goes on after a kill where it was: the
// result in the history says which command it belongs to.

import { DamagedRecords, Refusal } from '../../protocol/errors.ts'
import { type Command, parseCommand } from '../branch/commands.ts'
import { type BranchEvent, Rejection } from '../branch/events.ts'
import { clientHeader, commandsTopic, enteredHeader, hostHeader, principalHeader } from '../branch/json-topics.ts'
import type { Broker } from '../broker/broker.ts'
import type { Partition } from '../broker/partition.ts'
import { setView } from '../broker/set-view.ts'
import type { Timer } from '../storage/clock.ts'
import { commandInside } from './command-inside.ts'
import { type CommittedRecord, readCommitted } from './committed-records.ts'
import { cureOf } from './disk-refusal.ts'
import { type History, isOfTheDisk } from './history.ts'
import { type Call, executorOf, GivenUp, type Operations } from './operations.ts'

/** How long a command waits that the disk did not take. */
const retryMs = 1_000
/** A command of before there was a broker to sign it: nobody's. */
const nobody = 'User:ANONYMOUS'

export type LoopEnvironment = {
  readonly broker: Broker
  readonly history: History
  readonly operations: Operations
  /** What is true under an id and could not be told. */
  untold(id: string): Promise<BranchEvent | undefined>
  /** Why a command may not be run for somebody. */
  forbidden(command: Command, call: Call): Rejection | undefined
}

export class CommandLoop {
  readonly #environment: LoopEnvironment
  #position = 0
  #partition: Partition | undefined
  #unsubscribe = () => {}
  #running: Promise<void> | undefined
  /** Something came while the loop ran: it may have looked already. */
  #isBehind = false
  #retry: Timer | undefined
  #stopped = false

  constructor(environment: LoopEnvironment) {
    this.#environment = environment
  }

  /** Begins where the history ends, if there is a topic to read; asked again by whoever writes there. */
  attend(): void {
    const { broker, history } = this.#environment
    const partition = broker.topic(commandsTopic)?.partitions[0]
    if (this.#stopped || partition === undefined || partition === this.#partition) return
    this.#unsubscribe()
    this.#partition = partition
    this.#position = history.nextCommand
    this.#unsubscribe = partition.onAdvance(() => this.#wake())
    this.#wake()
  }

  /** The topic is gone, and the history with it. */
  reset(): void {
    this.#unsubscribe()
    this.#retry?.cancel()
    this.#retry = undefined
    this.#partition = undefined
  }

  /** Resolves when the command under way is done. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#unsubscribe()
    this.#retry?.cancel()
    await this.#running
  }

  #wake(): void {
    this.#isBehind = true
    if (this.#stopped || this.#running !== undefined || this.#retry !== undefined) return
    const partition = this.#partition
    this.#running = this.#run().catch((cause: unknown) => {
      // Gone, and with it what was wrong.
      if (this.#stopped || partition !== this.#partition) return
      console.error(`Commands of branches wait: ${String(cause)}`)
      this.#retry = this.#environment.broker.clock.after(retryMs, () => {
        this.#retry = undefined
        this.#wake()
      })
    })
    void this.#running.then(() => {
      this.#running = undefined
      if (this.#isBehind) this.#wake()
    })
  }

  async #run(): Promise<void> {
    await undefined // Whoever woke us is in the middle of an append.
    for (;;) {
      const partition = this.#partition
      this.#isBehind = false
      if (this.#stopped || partition === undefined || partition.isRemoved) return
      // A power cut that took more of one topic than of the other leaves the history ahead.
      this.#position = Math.min(this.#position, partition.logEndOffset)
      const portion = readCommitted(partition, this.#position)
      if (portion === undefined) return
      if (portion instanceof Refusal) throw new Error(`${commandsTopic} cannot be read: ${portion.message}`)
      for (const record of portion.records) {
        if (this.#stopped || partition !== this.#partition) return
        await this.#take(record)
        if (partition !== this.#partition) return
        this.#position = record.offset + 1
      }
      this.#position = portion.nextOffset
    }
  }

  readonly #goOn = (): void => {
    if (this.#stopped) throw new GivenUp('The broker stops.')
  }

  async #take({ offset, value, headers }: CommittedRecord): Promise<void> {
    const { history } = this.#environment
    const said = (name: string) => headers.find(({ key }) => key === name)?.value?.toString()
    const by = said(principalHeader) ?? nobody
    const [host, clientId] = [said(hostHeader), said(clientHeader)]
    const { id, command: given } = parseCommand(value, `c-${offset}`)
    const entered = said(enteredHeader)
    const command = entered === undefined ? given : this.#inside(given, entered)
    const dryRun = !(command instanceof Rejection) && isDry(command)
    history.expect(id, offset)
    const earlier = history.result(id, dryRun)
    if (earlier !== undefined) {
      await history.write({ ...earlier, replayed: true })
      return
    }
    if (command instanceof Rejection) await history.write(this.#rejected(id, by, command, command))
    else {
      const from = { ...(host === undefined ? {} : { host }), ...(clientId === undefined ? {} : { clientId }) }
      await this.#carryOut(command, { by, ...from, command: offset, goOn: this.#goOn })
    }
  }

  #inside(command: Command | Rejection, set: string): Command | Rejection {
    if (command instanceof Rejection) return command
    const view = setView(this.#environment.broker, set)
    const gone = `The set '${set}', in which the command was given, is not there any more. Fork it again, or give the command outside.`
    return view.exists ? commandInside(command, view) : new Rejection('UNKNOWN_SET', gone)
  }

  /** A result that the disk did not take is told again, and what is done is not done again for it. */
  async #carryOut(command: Command, call: Call): Promise<void> {
    const { history, untold } = this.#environment
    const { id } = command
    const done = isDry(command) ? undefined : await untold(id)
    const result = done === undefined ? await this.#execute(command, call) : await history.write(done)
    if (result instanceof Rejection) await history.write(this.#rejected(id, call.by, command, result))
    else if (!history.hasResult(id, isDry(command))) throw new Error(`${id} has no result yet.`)
  }

  async #execute(command: Command, call: Call): Promise<BranchEvent | Rejection> {
    const { operations, forbidden } = this.#environment
    const executor = executorOf(operations, command)
    if (executor === undefined) {
      const message = `There is no op '${command.op}' yet; there are ${Object.keys(operations).join(', ')}.`
      return new Rejection('UNKNOWN_OP', message)
    }
    const refused = forbidden(command, call)
    if (refused !== undefined) return refused
    try {
      return await executor(command, call)
    } catch (cause) {
      const unreadable = this.#unreadable(cause)
      if (unreadable !== undefined) return unreadable
      if (isOfTheDisk(cause) || cause instanceof GivenUp) throw cause
      console.error(`The command ${command.id} (${command.op}) met a mistake of ours:`, cause)
      const message = `The command met a mistake of the broker; its log says more. See with 'twiglog branch log' and in the topics what was done of it, and give it again under another id.`
      return new Rejection('UNKNOWN_SERVER_ERROR', message)
    }
  }

  /** It will not be better for being tried again, and others wait behind it. */
  #unreadable(cause: unknown): Rejection | undefined {
    if (cause instanceof DamagedRecords)
      return new Rejection('KAFKA_STORAGE_ERROR', `${cause.message}. ${cureOf(cause)}`)
    for (const { name, isInternal, partitions } of this.#environment.broker.topics()) {
      const offline = isInternal ? undefined : partitions.find((partition) => partition.offline === cause)
      if (offline === undefined) continue
      const message = `Partition ${offline.index} of '${name}' is offline: ${(cause as Error).message}. ${cureOf(cause)}`
      return new Rejection('KAFKA_STORAGE_ERROR', message)
    }
    return undefined
  }

  #rejected(id: string, by: string, command: Command | Rejection, { code, message }: Rejection): BranchEvent {
    const asked = command instanceof Rejection ? {} : { op: command.op, ...(isDry(command) ? { dryRun: true } : {}) }
    const at = this.#environment.broker.clock.now()
    return { v: 1, type: 'rejected', id, at, by, status: 'rejected', ...asked, error: { code, message } }
  }
}

const isDry = ({ op, dryRun }: Command): boolean => op === 'plan' || dryRun
