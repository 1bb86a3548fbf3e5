// The clean end of many logs: a disk flushes several files in hardly more time than one.

import type { Partition } from './partition.ts'

const closedAtOnce = 16

/** Closes each; answers what went wrong. Those have let their files go too: the next start finds again what could not be noted. */
export async function closePartitions(partitions: Iterator<Partition> & Iterable<Partition>): Promise<unknown[]> {
  const failures: unknown[] = []
  const closeSome = async () => {
    for (const partition of partitions) await partition.close().catch((cause: unknown) => failures.push(cause))
  }
  await Promise.all(Array.from({ length: closedAtOnce }, closeSome))
  return failures
}
