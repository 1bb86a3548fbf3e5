// Short lives, of which a broker sees thousands: topics, views, branch sets, members, producers and connections that come and
// go. What one of them leaves behind is what a soak looks for.

import { setTimeout as pause } from 'node:timers/promises'
import { fetch as fetching } from '../../protocol/messages/01-fetch.ts'
import { listOffsets } from '../../protocol/messages/02-list-offsets.ts'
import { offsetCommit } from '../../protocol/messages/08-offset-commit.ts'
import { apiVersions } from '../../protocol/messages/18-api-versions.ts'
import { deleteRecords } from '../../protocol/messages/21-delete-records.ts'
import { initProducerId } from '../../protocol/messages/22-init-producer-id.ts'
import { deleteGroups } from '../../protocol/messages/42-delete-groups.ts'
import { consumerGroupHeartbeat } from '../../protocol/messages/68-consumer-group-heartbeat.ts'
import { walk } from '../crash-lab/log-reader.ts'
import { Sharer } from '../share/member.ts'
import { WireClient } from '../wire-client.ts'
import { Asking } from './asking.ts'

/** Where lives are lived: a connection of their own for each turn, and HTTP. */
export type Place = { readonly bootstrap: string; readonly http: string }
export type Life = {
  readonly name: string
  /** Between two turns. */
  readonly restMs: number
  readonly live: (asking: Asking, turn: number, place: Place) => Promise<void>
}

const patienceMs = 20_000

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const giveUpAt = performance.now() + patienceMs
  while (!(await isSo())) {
    if (performance.now() > giveUpAt) throw new Error(`it did not come to be that ${what}`)
    await pause(50)
  }
}

const some = (count: number, of: string) =>
  Array.from({ length: count }, (_, i) => ({
    key: `${of}-${i}`,
    value: Buffer.from(`${of} ${i} `.repeat(20)),
    headers: [],
  }))

/** Made, written to, read from the start, deleted with its folder. */
const topicLife: Life = {
  name: 'topics',
  restMs: 200,
  async live(asking, turn) {
    const topic = `brief-${turn}`
    await asking.create(topic, 3, turn % 2 === 0 ? {} : { 'cleanup.policy': 'compact' })
    for (let partition = 0; partition < 3; partition++) await asking.produce(topic, partition, some(20, topic))
    let count = 0
    await walk(asking.client, { topic, partition: 1 }, 0, 0, () => {
      count++
    })
    if (count !== 20) throw new Error(`${topic}: ${count} of 20 records`)
    await asking.delete(topic)
  },
}

const viewKinds = ['history', 'state', 'diff', 'list'] as const

/** Read once; one of four is deleted, the others go by themselves. */
const viewLife: Life = {
  name: 'views',
  restMs: 300,
  async live(asking, turn) {
    const topic = `rev-view-${turn}`
    const kind = viewKinds[turn % viewKinds.length]!
    const goes = { 'view.ttl.ms': '2000' }
    const only = kind === 'history' ? { 'view.key': 'k1' } : {}
    await asking.create(topic, -1, { 'view.of': 'rev', 'view.kind': kind, ...goes, ...only })
    for (let partition = 0; partition < 2; partition++) await walk(asking.client, { topic, partition }, 0, 0, () => {})
    if (turn % 4 === 0) await asking.delete(topic)
    // Nobody reads it any more: the one of some turns ago must be gone some day.
    else if (turn > 40)
      await until('an old view is gone', async () => (await asking.id(`rev-view-${turn - 40}`)) === undefined)
  },
}

/** All of it forked at one instant, entered by the name of a client, merged or not, and given up. */
const setLife: Life = {
  name: 'sets',
  restMs: 1500,
  async live(asking, turn, { bootstrap }) {
    const set = `s${turn}`
    await asking.command({ op: 'fork', set, topics: [{ from: 'keyed' }, { from: 'idem' }] })
    await until(`set ${set} is there`, async () => (await asking.id(`idem--${set}`)) !== undefined)
    {
      using inside = await Asking.open(bootstrap, `soak--branch--${set}--`)
      await inside.produce('keyed', 0, some(5, set))
      await inside.produce('idem', 1, some(5, set))
      // Retention has taken what the fork does not begin with.
      const last = await inside.produce('keyed', 0, some(1, set))
      await walk(inside.client, { topic: 'keyed', partition: 0 }, last - 1, 0, () => {})
    }
    await asking.command({ op: 'abandon', set })
    await until(`set ${set} is gone`, async () => (await asking.id(`idem--${set}`)) === undefined)
  },
}

/** A branch by the topics API, which goes by its time to live. */
const branchLife: Life = {
  name: 'branches by the topics API',
  restMs: 500,
  async live(asking, turn) {
    const topic = `work--brief-${turn}`
    await asking.create(topic, -1, { 'branch.from': 'work', ...(turn % 2 === 0 ? {} : { 'branch.ttl.ms': '2000' }) })
    await asking.produce(topic, 0, some(5, topic))
    if (turn % 2 === 0) await asking.delete(topic)
    else if (turn > 40)
      await until(
        'an old branch is gone',
        async () => (await asking.id(`work--brief-${2 * Math.floor(turn / 2) - 39}`)) === undefined,
      )
  },
}

/** A member of a new consumer group that joins, commits, leaves, and the group that is deleted after it. */
const memberLife: Life = {
  name: 'consumer groups',
  restMs: 200,
  async live(asking, turn) {
    const groupId = `brief-${turn}`
    const memberId = `member-${turn}`
    const beat = (memberEpoch: number, more: object = {}) =>
      asking.client.ask(consumerGroupHeartbeat, 1, { groupId, memberId, memberEpoch, ...more })
    const joining = { rebalanceTimeoutMs: 10_000, subscribedTopicNames: ['plain', 'idem'], topicPartitions: [] }
    const { errorCode, memberEpoch, assignment } = await beat(0, joining)
    if (errorCode !== 0 || assignment === null) throw new Error(`${groupId}: the member was refused (${errorCode})`)
    await asking.client.ask(offsetCommit, 9, {
      groupId,
      generationIdOrMemberEpoch: memberEpoch,
      memberId,
      topics: [{ name: 'plain', partitions: [{ partitionIndex: 0, committedOffset: turn, committedMetadata: '' }] }],
    })
    await beat(-1)
    const { results } = await asking.client.ask(deleteGroups, 2, { groupsNames: [groupId] })
    if (results[0]!.errorCode !== 0) throw new Error(`${groupId}: not deleted (${results[0]!.errorCode})`)
  },
}

/** Takes records, accepts some, and leaves in the midst of others. */
const sharerLife: Life = {
  name: 'share groups',
  restMs: 300,
  async live(asking, turn) {
    const groupId = `brief-share-${turn % 5}`
    const id = await asking.id('work')
    const sharer = new Sharer(asking.client, `sharer-${turn}`, groupId)
    await sharer.beat(0, ['work'])
    await sharer.fetch([[id!, 0]])
    await asking.produce('work', 0, some(3, groupId))
    const { responses } = await sharer.fetch()
    const acquired = responses.flatMap(({ partitions }) => partitions.flatMap((of) => of.acquiredRecords))[0]
    if (acquired !== undefined) await sharer.say(id!, 0, [acquired.firstOffset, acquired.firstOffset, 1])
    await sharer.close()
    await sharer.beat(-1, null)
  },
}

/** New ids that nobody uses again: idempotent ones, and transactional ones with an open transaction that is fenced. */
const producerLife: Life = {
  name: 'producer ids',
  restMs: 200,
  async live(asking, turn) {
    const transactionalId = turn % 2 === 0 ? null : `brief-${turn}`
    const { errorCode, producerId, producerEpoch } = await asking.client.ask(initProducerId, 4, {
      transactionalId,
      transactionTimeoutMs: 5_000,
    })
    if (errorCode !== 0) throw new Error(`InitProducerId: ${errorCode}`)
    if (transactionalId === null)
      await asking.produce('idem', turn % 3, some(2, 'idem'), { producerId, producerEpoch, baseSequence: 0 })
  },
}

/** A fetch session, fetches that are parked when their client goes, a request that ends in its midst. */
const connectionLife: Life = {
  name: 'connections',
  restMs: 50,
  async live({ client }, turn, { bootstrap }) {
    await client.ask(apiVersions, 3, { clientSoftwareName: 'soak', clientSoftwareVersion: '1' })
    const partitions = [{ partition: 0, timestamp: -1, currentLeaderEpoch: -1 }].map(({ partition, ...more }) => ({
      partitionIndex: partition,
      ...more,
    }))
    const ends = await client.ask(listOffsets, 5, {
      replicaId: -1,
      isolationLevel: 0,
      topics: [{ name: 'plain', partitions }],
    })
    const fetchOffset = ends.topics[0]!.partitions[0]!.offset
    const other = await WireClient.open(bootstrap, 'soak')
    const wanted = [{ partition: 0, fetchOffset, partitionMaxBytes: 1e6, currentLeaderEpoch: -1 }]
    const body = { maxWaitMs: 5_000, minBytes: 1_000_000, maxBytes: 1e6, isolationLevel: 0, forgottenTopicsData: [] }
    const frame = other.frame(fetching, 11, {
      ...body,
      sessionEpoch: 0,
      topics: [{ topic: 'plain', partitions: wanted }],
    })
    other.send(frame)
    if (turn % 2 === 0) other.send(frame.subarray(0, 30))
    await pause(20)
    other.close()
  },
}

/** What lies below the end of a log's first half goes. */
const deletionLife: Life = {
  name: 'deleted records',
  restMs: 3_000,
  async live(asking) {
    const partitions = [{ partitionIndex: 1, timestamp: -1, currentLeaderEpoch: -1 }]
    const topics = [{ name: 'plain', partitions }]
    const ends = await asking.client.ask(listOffsets, 5, { replicaId: -1, isolationLevel: 0, topics })
    const offset = Math.floor(ends.topics[0]!.partitions[0]!.offset - 10)
    if (offset <= 0) return
    const upTo = [{ name: 'plain', partitions: [{ partitionIndex: 1, offset }] }]
    await asking.client.ask(deleteRecords, 2, { topics: upTo, timeoutMs: 5_000 })
  },
}

/** Writes, revisions of keys, and a stream that its reader gives up. */
const httpLife: Life = {
  name: 'HTTP',
  restMs: 250,
  async live(_, turn, { http }) {
    const put = await fetch(`${http}/topics/rev/keys/h${turn % 9}`, { method: 'PUT', body: JSON.stringify({ turn }) })
    if (put.status !== 200) throw new Error(`PUT: ${put.status} ${await put.text()}`)
    await put.text()
    const got = await fetch(`${http}/topics/rev/keys/h${turn % 9}?revisions=3`)
    if (got.status !== 200) throw new Error(`GET: ${got.status} ${await got.text()}`)
    await got.text()
    const giving = new AbortController()
    const tail = await fetch(`${http}/topics/rev/tail?offset=-3`, { signal: giving.signal })
    await tail.body!.getReader().read()
    giving.abort()
  },
}

export const lives: readonly Life[] = [
  topicLife,
  viewLife,
  setLife,
  branchLife,
  memberLife,
  sharerLife,
  producerLife,
  connectionLife,
  deletionLife,
  httpLife,
]
