// The clean end of many logs: a disk flushes several files in hardly more time than one, and all of them in hardly more than ten.

import type { Store } from '../storage/file.ts'
import type { Partition } from './partition.ts'

const closedAtOnce = 16
/** From so many on that have something to flush everything is flushed at once: of a few it would be others' files that we wait for. */
const manyLogs = 64

/** Closes each; answers what went wrong. Those have let their files go too: the next start finds again what could not be noted. */
export async function closePartitions(
  partitions: Iterable<Partition>,
  store: Pick<Store, 'flushAll'>,
): Promise<unknown[]> {
  const all = [...partitions]
  await flushTogether(all, store)
  const failures: unknown[] = []
  const left = all.values()
  const closeSome = async () => {
    for (const partition of left) await partition.close().catch((cause: unknown) => failures.push(cause))
  }
  await Promise.all(Array.from({ length: closedAtOnce }, closeSome))
  return failures
}

async function flushTogether(partitions: readonly Partition[], store: Pick<Store, 'flushAll'>): Promise<void> {
  const open = partitions.filter(({ isOpen, offline }) => isOpen && offline === undefined)
  const behind = open
    .map(({ log }) => ({ log, end: log.logEndOffset }))
    .filter(({ log, end }) => log.flushedOffset < end)
  if (behind.length < manyLogs || !(await store.flushAll?.())) return
  for (const { log, end } of behind) log.wasFlushed(end)
}
