// What a broker's process holds at one moment: as the kernel tells it, and as the broker tells it at /metrics.

import { readdirSync, readFileSync } from 'node:fs'
import { memoryOf } from '../../bench/meter.ts'

export type Gauges = {
  /** Since the load began. */
  readonly seconds: number
  /** The process's own pages; those of files the kernel takes back when others need them. */
  readonly anonymousMb: number
  /** Without the pages that V8 keeps for what may come, garbage or not: after a peak it gives them back when it pleases. */
  readonly heldMb: number
  readonly heapMb: number
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

/** Needs /proc, and that the process has loaded settling.ts: garbage is nothing that it holds. */
export async function readGauges(pid: number, http: string, seconds: number): Promise<Gauges> {
  const before = await metricsOf(http)
  process.kill(pid, 'SIGUSR2')
  const metrics = await metricsOf(http) // and how late the loop is because of that, nobody is told
  const inHeap = (what: string) => told(metrics, `nodejs_heap_size_${what}_bytes`) / mb
  const anonymousMb = memoryOf(pid)?.anonymousMb ?? Number.NaN
  const maps = readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n').slice(0, -1)
  const delay = (quantile: string) => 1000 * told(before, 'twiglog_event_loop_delay_seconds', `quantile="${quantile}"`)
  return {
    seconds,
    anonymousMb,
    heldMb: anonymousMb - (inHeap('total') - inHeap('used')),
    heapMb: inHeap('used'),
    externalMb: told(metrics, 'nodejs_external_memory_bytes') / mb,
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
    `heap ${at.heapMb.toFixed(1)} MB`,
    `buffers ${at.externalMb.toFixed(1)} MB`,
    `descriptors ${at.descriptors}`,
    `maps ${at.fileMaps} of files, ${at.maps} in all`,
    `event loop ${at.delayMs.toFixed(1)} ms p99, ${at.delayMsMax.toFixed(1)} ms at worst`,
    `${at.requests} requests`,
    `${at.packs} packs`,
  ]
  return words.join('; ')
}
