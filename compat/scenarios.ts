// What every client must be able to do, written down once. A driver answers each line with a test or with the reason why
// its client cannot do it, so a scenario is never forgotten in silence.
import type { Test } from 'tap'
import { leavingNothing } from './process.ts'

export const scenarios = {
  'topic.create': 'a topic is created with the partitions and configs asked for, and is then listed and described',
  'topic.exists': 'a topic that exists is not created a second time',
  'topic.auto': 'a topic that nobody created appears when something is produced to it',
  'topic.grow': 'a topic gets more partitions, and the new ones take records',
  'topic.config': 'configs are described with their defaults, altered, and set back',
  'topic.delete': 'a deleted topic is no longer listed, and one of the same name starts empty',
  'produce.none': 'an uncompressed batch is read back byte for byte',
  'produce.gzip': 'a gzip batch is read back byte for byte',
  'produce.snappy': 'a snappy batch is read back byte for byte',
  'produce.lz4': 'an lz4 batch is read back byte for byte',
  'produce.zstd': 'a zstd batch is read back byte for byte',
  'produce.acks-0': 'acks=0: nothing is answered, the records arrive',
  'produce.acks-1': 'acks=1: answered by the leader, the records arrive',
  'produce.acks-all': 'acks=all: answered by every replica, the records arrive',
  'produce.shapes': 'null, empty and binary keys, values and headers keep their difference',
  'produce.large': 'a record of 1,000,000 bytes is read back byte for byte',
  'produce.too-large': 'a record above max.message.bytes is refused, and the next one is taken',
  'produce.idempotent': 'an idempotent producer writes each record once, in order',
  'consume.start': 'reading from the start gives every record, in order',
  'consume.end': 'reading from the end gives only what comes later',
  'consume.offset': 'reading from an offset starts with exactly that record',
  'consume.timestamp': 'reading from a timestamp starts with the first record that is not older',
  'group.rebalance':
    'two members share the partitions; when one leaves, the other goes on with all of them; no record is lost',
  'group.resume': 'a committed offset survives the member: the next one goes on where it stopped',
  'group.admin': 'a group is listed, described, reset to other offsets, and deleted',
  'records.delete': 'records below an offset are deleted and the start of the log moves there',
  'restart.SIGTERM': 'a clean stop while producing: every acknowledged record is there once, in order',
  'restart.SIGKILL': 'kill -9 while producing: every acknowledged record is there once, in order',
} as const

export type ScenarioId = keyof typeof scenarios
/** A test, or the reason why this client cannot play the scenario. */
export type Part = ((t: Test) => Promise<void>) | string
export type Parts = Record<ScenarioId, Part>

const msPerScenario = 60_000

export async function play(t: Test, parts: Parts): Promise<void> {
  for (const id of Object.keys(scenarios) as ScenarioId[]) {
    const part = parts[id] as Part | undefined // the loader strips types without checking them
    const name = `${id}: ${scenarios[id]}`
    if (part === undefined) t.fail(`${name} (this driver neither plays it nor says why not)`)
    else if (typeof part === 'string') await t.test(name, { skip: part }, async () => {})
    else {
      const results = await leavingNothing(() => t.test(name, { timeout: msPerScenario }, part))
      if (results?.count === 0) t.fail(`${id} ran and checked nothing`) // tap would call it passed
    }
  }
}
