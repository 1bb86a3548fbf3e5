// A broker in a process of its own that dies, as by kill -9, in front of whatever a command does to the disk (dying.mjs).

import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { ChildStage } from './child-stage.ts'

type Command = { readonly op: string; readonly id: string; readonly [more: string]: unknown }

/** The topics that are an API are there, so that a command is all that is looked at. */
export async function openDying(): Promise<ChildStage> {
  const hook = fileURLToPath(new URL('dying.mjs', import.meta.url))
  const stage = await ChildStage.open(['--set', 'storage=plain'], ['--import', hook])
  await stage.withAdmin((admin) => admin.fetchTopicMetadata({ topics: ['__branch_commands', '__branches'] }))
  return stage
}

export const command = (stage: ChildStage, asked: Command): Promise<void> =>
  stage.send('__branch_commands', JSON.stringify(asked))

/** Nobody dies: what is done, and in which order. */
export async function momentsOf(stage: ChildStage, asked: Command): Promise<string[]> {
  const orders = ordersOf(stage)
  writeFileSync(orders, `${asked.id} never`)
  await command(stage, asked)
  await stage.results(asked.id, 1)
  rmSync(orders)
  return doneOf(stage)
}

/**
 * It is given a command, and dies in front of what that does as number `at`. `twiglog check` finds nothing in what is left. Answers what
 * was done by then.
 */
export async function dieAt(stage: ChildStage, at: number, asked: Command): Promise<string[]> {
  const orders = ordersOf(stage)
  rmSync(namedOf(stage), { force: true })
  writeFileSync(orders, `${asked.id} ${at}`)
  // It may die before it has answered.
  await Promise.all([stage.broker.gone(), command(stage, asked).catch(() => {})])
  rmSync(orders)
  stage.broker.expectSound()
  return at === 0 ? [] : doneOf(stage)
}

/** The same command once more after the death: whether the start finished it or this does it anew, it is told, and told again as replayed. */
export async function commandAgain(stage: ChildStage, asked: Command, status: string, what: string): Promise<void> {
  await command(stage, asked)
  const told = await stage.results(asked.id, 2)
  expect(
    told.map(({ type, status, replayed }) => [type, status, replayed]),
    what,
  ).toEqual([
    [asked.op, status, undefined],
    [asked.op, status, true],
  ])
}

const namedOf = ({ broker }: ChildStage): string => join(broker.root, 'moments')
const doneOf = (stage: ChildStage): string[] => readFileSync(namedOf(stage), 'utf8').trimEnd().split('\n')

const ordersOf = ({ broker }: ChildStage): string => join(broker.root, 'die-at')
