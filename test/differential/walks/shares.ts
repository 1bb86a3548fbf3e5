// A share group's members that fetch, acknowledge, let go and come back in any order, rightly and not (KIP-932).

import { produce } from '../../../protocol/messages/00-produce.ts'
import { describeShareGroupOffsets } from '../../../protocol/messages/90-describe-share-group-offsets.ts'
import { batchOf } from '../../wire-client.ts'
import { allCoordinators } from '../scenarios/coordinators.ts'
import { coordinatorOf } from '../scenarios/groups.ts'
import { acknowledge, earliest, fetch, ready, topicsOf } from '../scenarios/share-groups.ts'
import type { Side } from '../side.ts'
import { type Chance, walks } from './chance.ts'

const stepCount = 60

export async function shareWalks(side: Side): Promise<void> {
  await allCoordinators(side)
  await walks('ws', side, (chance) => walk(side, chance))
}

async function walk(side: Side, chance: Chance): Promise<void> {
  const groupId = chance.walk
  const topicId = await side.topic(groupId, 1)
  await coordinatorOf(side, groupId)
  await earliest(side, groupId)
  await ready(side, groupId, 'a', groupId)
  let end = 0
  const append = async () => {
    const count = 1 + chance.below(6)
    const values = Array.from({ length: count }, (_, n) => ({ key: 'k', value: `${n}`, timestamp: side.base }))
    const topicData = [{ name: groupId, partitionData: [{ index: 0, records: batchOf(values) }] }]
    await side.quiet(produce, 9, { acks: -1, timeoutMs: 5000, topicData })
    end += count
  }
  const epochs = new Map<string, number>()
  await append()
  for (let step = 0; step < stepCount; step++) {
    const memberId = chance.one(['a', 'b', 'c'])
    const known = epochs.get(memberId) ?? 0
    const epoch = chance.often(0.9) ? known : chance.one([-1, 0, known + 1, known - 1])
    const isRenewAck = chance.often(0.1)
    const said = epoch === 0 && chance.often(0.9) ? [] : words(chance, end, isRenewAck)
    const topics = chance.often(0.9) || said.length > 0 ? topicsOf(topicId, 0, said) : []
    const asked = { groupId, memberId, epoch, isRenewAck }
    const label = `${groupId} ${step}: ${memberId} ${epoch} ${JSON.stringify(said)}`
    if (chance.often(0.15)) await append()
    if (chance.often(0.3) && epoch !== 0) await acknowledge(side, label, topics, asked)
    else {
      const most = chance.one([1, 2, 4, 500])
      const how = { maxRecords: most, batchSize: chance.one([1, 2, 500]), shareAcquireMode: 1 }
      const none = { maxRecords: 0, minBytes: 0, maxBytes: 0, maxWaitMs: 0, batchSize: 0 }
      const more = isRenewAck ? none : { ...how, maxWaitMs: 100 }
      await fetch(side, label, topics, asked, more)
    }
    if (epoch === -1) {
      epochs.delete(memberId)
      await side.settle() // Kafka gives back what it had a moment after the answer
    }
    if (epoch === 0 || epoch === known) epochs.set(memberId, epoch + 1)
    if (chance.often(0.2)) await side.ask(label, describeShareGroupOffsets, 1, { groups: [{ groupId, topics: null }] })
  }
}

/** What is said of one or two ranges: a type for all, or one for each. */
function words(chance: Chance, end: number, isRenewAck: boolean): [number, number, ...number[]][] {
  const said: [number, number, ...number[]][] = []
  let first = chance.below(end)
  for (let n = chance.one([0, 1, 1, 2]); n > 0 && first < end + 2; n--) {
    const last = Math.min(first + chance.below(3), chance.often(0.9) ? end - 1 : end + 1)
    const type = () => chance.mostly(...((isRenewAck ? [4, 1, 2] : [1, 2, 3, 0, 4, 5]) as [number, ...number[]]))
    const types = chance.often(0.5) ? [type()] : Array.from({ length: Math.max(1, last - first + 1) }, type)
    said.push([first, last, ...types])
    first = last + chance.one([1, 1, 2, 0])
  }
  return said
}
