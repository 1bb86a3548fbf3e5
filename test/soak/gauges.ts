// What a broker's process holds at one moment: as the kernel tells it, and as the broker tells it at /metrics.

import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import type { ChildBroker } from '../child-broker.ts'
import { type Settled, settledWord } from './settled.ts'

export type Gauges = {
  /** Since the load began. */
  readonly seconds: number
  /** The process's own pages; those of files the kernel takes back when others need them. */
  readonly anonymousMb: number
  /** Without compiled code, and the pages that V8 keeps for what may come: after a peak it gives them back when it pleases. */
  readonly heldMb: number
  /** Without compiled code, which is told by itself: the longer it runs, the more V8 has compiled. */
  readonly heapMb: number
  readonly codeMb: number
  /** Of buffers. */
  readonly externalMb: number
  readonly descriptors: number
  /** Of files, and all: V8 makes one for every quarter of a megabyte, as the collector pleases. */
  readonly fileMaps: number
  readonly maps: number
  /** How late the event loop was since the reading before: one time of a hundred, and at worst. */
  readonly delayMs: number
  readonly delayMsMax: number
  readonly requests: number
  readonly packs: number
}

const mb = 1024 * 1024

/** The sum of a family's samples whose labels hold these words; 0 where there is none. */
export function told(metrics: string, family: string, labels = ''): number {
  let sum = 0
  for (const line of metrics.split('\n')) {
    if (!line.startsWith(`${family} `) && !line.startsWith(`${family}{`)) continue
    if (line.includes(labels)) sum += Number(line.slice(line.lastIndexOf(' ') + 1))
  }
  return sum
}

async function metricsOf(http: string): Promise<string> {
  const answer = await fetch(`${http}/metrics`, { signal: AbortSignal.timeout(60_000) })
  return await answer.text()
}

const patienceMs = 60_000

/** The lines in which it has told what it holds. */
const settlingsOf = ({ said }: ChildBroker): string[] =>
  said.split('\n').filter((line) => line.startsWith(`${settledWord} {`) && line.endsWith('}'))

async function settle(broker: ChildBroker): Promise<Settled> {
  const { length: before } = settlingsOf(broker)
  process.kill(broker.pid!, 'SIGUSR2')
  for (const giveUpAt = performance.now() + patienceMs; performance.now() < giveUpAt; await pause(20)) {
    const line = settlingsOf(broker)[before]
    if (line !== undefined) return JSON.parse(line.slice(settledWord.length)) as Settled
  }
  throw new Error(`the broker did not say within ${patienceMs / 1000} s what it holds`)
}

/** Needs /proc, and that the process has loaded settling.ts: garbage is nothing that it holds. */
export async function readGauges(broker: ChildBroker, seconds: number): Promise<Gauges> {
  // First of all: how late the loop is because it settles, nobody is told.
  const metrics = await metricsOf(broker.http)
  const settled = await settle(broker)
  const pid = broker.pid!
  const maps = readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n').slice(0, -1)
  const delay = (quantile: string) => 1000 * told(metrics, 'twiglog_event_loop_delay_seconds', `quantile="${quantile}"`)
  return {
    seconds,
    anonymousMb: settled.anonymous / mb,
    heldMb: (settled.anonymous - (settled.heapTotal - settled.heapUsed) - settled.code) / mb,
    heapMb: (settled.heapUsed - settled.code) / mb,
    codeMb: settled.code / mb,
    externalMb: settled.external / mb,
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
    // An inode says that it is one of a file.
    fileMaps: maps.filter((line) => line.split(/ +/)[4] !== '0').length,
    maps: maps.length,
    delayMs: delay('0.99'),
    delayMsMax: delay('1'),
    requests: told(metrics, 'kafka_network_requestmetrics_requests_total'),
    packs: told(metrics, 'twiglog_revision_packs_total'),
  }
}

export function lineOf(at: Gauges): string {
  const words = [
    `${Math.round(at.seconds)} s`,
    `anonymous ${at.anonymousMb.toFixed(1)} MB, ${at.heldMb.toFixed(1)} held`,
    `heap ${at.heapMb.toFixed(1)} MB, ${at.codeMb.toFixed(1)} of code beside it`,
    `buffers ${at.externalMb.toFixed(1)} MB`,
    `descriptors ${at.descriptors}`,
    `maps ${at.fileMaps} of files, ${at.maps} in all`,
    `event loop ${at.delayMs.toFixed(1)} ms p99, ${at.delayMsMax.toFixed(1)} ms at worst`,
    `${at.requests} requests`,
    `${at.packs} packs`,
  ]
  return words.join('; ')
}
