// A merge costs what was changed, not what is there: so many keys changed on a branch of a small and of a large topic, planned and
// merged with nobody writing beside.
import { type Bench, inTurn, newTopic, settle } from '../journey.ts'
import type { RunningPeer } from '../peers.ts'
import { forker } from './admin.ts'
import { commander } from './commands.ts'
import { writeKeys } from './keys.ts'

const partitions = 3
const valueBytes = 100
const topicKeys = [100_000, 1_000_000] as const
const changedKeys = [1_000, 10_000, 100_000] as const
const mebibyte = 2 ** 20

const padded = (text: string) => text.padEnd(valueBytes, '.')

export async function mergeByKeys(bench: Bench, peers: readonly RunningPeer[]): Promise<void> {
  for (const inTopic of topicKeys) {
    const topics = new Map<RunningPeer, string>()
    for (const peer of peers) {
      process.stderr.write(`  filling ${peer.peer.name} with ${inTopic} keys\n`)
      await using admin = await forker(peer)
      const topic = await newTopic(peer, partitions)
      topics.set(peer, topic)
      await writeKeys(admin.kafka.producer(), topic, {
        count: bench.count(inTopic),
        partitions,
        value: padded('base'),
      })
    }
    await settle()
    for (const changed of changedKeys) {
      await inTurn(bench, `merge of ${changed} keys into ${inTopic}`, peers, (peer, round) =>
        merged(bench, peer, round, topics.get(peer)!, {
          changed: bench.count(changed),
          what: `${bench.count(changed)} of ${bench.count(inTopic)} keys`,
        }),
      )
    }
  }
}

async function merged(
  bench: Bench,
  peer: RunningPeer,
  round: number,
  into: string,
  { changed, what }: { changed: number; what: string },
): Promise<void> {
  await using admin = await forker(peer)
  await using commands = await commander(admin.kafka)
  const from = `${into}--merge-${changed}-${round}`
  await admin.fork([{ from: into, to: from }])
  const value = padded(`changed in round ${round}`)
  await writeKeys(admin.kafka.producer(), from, { count: changed, partitions, value })
  const pair = { from, into, strategy: 'three-way' }
  const plan = await commands.run({ op: 'plan', ...pair, limit: 0 })
  const merge = await commands.run({ op: 'merge', ...pair })
  if (merge.event.counts?.written !== changed) throw new Error(`not all was merged: ${JSON.stringify(merge.event)}`)
  const add = (name: string, unit: string, value: number, aim: object = {}) =>
    bench.table.add(peer.peer, round, 'KafkaJS', { name: `${name}, ${what}`, unit, ...aim }, value)
  add('plan', 'ms', plan.ms)
  add('merge', 'ms', merge.ms)
  // Below that the command itself weighs more than its keys.
  if (changed >= 10_000) {
    add('planned', 'keys/s', (changed / plan.ms) * 1000, { aim: { least: 100_000 } })
    add('merged', 'keys/s', (changed / merge.ms) * 1000, { aim: { least: 50_000 } })
  }
  const mergedMb = (changed * valueBytes) / mebibyte
  add('producers held back by merge', 'ms', merge.event.gateMs ?? 0, { aim: { most: Math.round(50 + 5 * mergedMb) } })
  await admin.drop([from])
}
