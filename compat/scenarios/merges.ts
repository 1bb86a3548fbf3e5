// Branches and what they are for: cut through transactions, merged, with conflicts that a plain consumer reads. Everything is
// asked by lines of JSON and read as records, so any client can.
import { Cannot } from '../hand.ts'
import { type KafkaRecord, record, shown, text } from '../records.ts'
import { scenario } from '../scenario.ts'
import type { Stage } from '../stage.ts'
import { done, needsBranches, run } from './branches.ts'

const isolation = 'read_committed'

/** What read_committed shows, up to a last record that is written for this purpose. */
async function committed(stage: Stage, topic: string): Promise<KafkaRecord[]> {
  const { client } = stage.hand.hello
  if (client === 'kafka-go') throw new Cannot('kafka-go gives the markers of transactions as records')
  await stage.send(topic, [record('the end', 'v')])
  const consumer = await stage.consumer(topic, 'start', { isolation })
  await consumer.until('the last record came', () => consumer.seen.at(-1)?.record.key?.toString() === 'the end')
  await consumer.close()
  return consumer.seen.slice(0, -1).map((one) => one.record)
}

const keysOf = (records: readonly KafkaRecord[]): string[] => records.map(({ key }) => String(key))
const keys = (label: string, count: number): string[] => keysOf(text(count, label))

/** The newest value of each key; null where it is deleted. */
function newest(records: readonly KafkaRecord[]): Record<string, string | null> {
  return Object.fromEntries(records.map(({ key, value }) => [String(key), value === null ? null : String(value)]))
}

export const merges = {
  'branch.transaction': scenario(
    'a transaction that a fork cuts in two is aborted on the branch; its producer goes on there (B8, B51)',
    async (stage) => {
      needsBranches()
      const parent = await stage.topic('cut')
      await stage.send(parent, text(3, 'before'))
      const producer = await stage.producer({ transactionalId: stage.name('cut-id') })
      await stage.ask('beginTransaction', { producer })
      await stage.produce(producer, parent, text(2, 'open'))
      const branch = `${parent}--try`
      await done(stage, { op: 'fork', from: parent, to: branch })
      if (stage.can('offsetAt', { isolation })) {
        const stable = await stage.ask('offsetAt', { topic: branch, partition: 0, at: 'end', isolation })
        stage.same([stable.offset, await stage.end(branch)], [6, 6], 'one marker, and nothing is open behind it')
      }
      // In the same transaction, and in the next ones.
      await stage.produce(producer, branch, text(1, 'same'))
      await stage.ask('commitTransaction', { producer })
      for (const end of ['abort', 'commit'] as const) {
        await stage.ask('beginTransaction', { producer })
        await stage.produce(producer, branch, text(1, end))
        await stage.ask(end === 'commit' ? 'commitTransaction' : 'abortTransaction', { producer })
      }
      stage.same(keysOf(await committed(stage, parent)), [...keys('before', 3), ...keys('open', 2)])
      stage.same(
        keysOf(await committed(stage, branch)),
        [...keys('before', 3), ...keys('same', 1), ...keys('commit', 1)],
        'the branch shows what was committed before it, and its own',
      )
    },
  ),

  'branch.set': scenario('a set is one cut: no transaction is half inside it (B10)', async (stage) => {
    needsBranches()
    const [a, b] = [await stage.topic('counter-a'), await stage.topic('counter-b')]
    const producer = await stage.producer({ transactionalId: stage.name('counter-id') })
    const sets: string[] = []
    for (let i = 0; i < 4; i++) {
      const set = `s${i}-${Date.now().toString(36)}`
      sets.push(set)
      await stage.ask('beginTransaction', { producer })
      await stage.produce(producer, a, [record(`${i}`, 'v')])
      await done(stage, { op: 'fork', set, topics: [{ from: a }, { from: b }] })
      await stage.produce(producer, b, [record(`${i}`, 'v')])
      await stage.ask('commitTransaction', { producer })
    }
    for (const [i, set] of sets.entries()) {
      const seen = [keysOf(await committed(stage, `${a}--${set}`)), keysOf(await committed(stage, `${b}--${set}`))]
      const counted = Array.from({ length: i }, (_, n) => `${n}`)
      stage.same(seen, [counted, counted], `both branches of ${set} end at the same counter`)
    }
  }),

  'branch.append': scenario(
    'records without keys are merged in their order, once for each id, and later ones by the next merge (B24)',
    async (stage) => {
      needsBranches()
      const parent = await stage.topic('append')
      const plain = (count: number, label: string) => text(count, label).map(({ value }) => record(null, value))
      const values = (label: string, count: number) => plain(count, label).map(({ value }) => String(value))
      await stage.send(parent, plain(2, 'past'))
      const branch = `${parent}--try`
      await done(stage, { op: 'fork', from: parent, to: branch })
      await stage.send(branch, plain(10, 'branch'))
      await stage.send(parent, plain(5, 'parent'))
      const merge = { op: 'merge', id: stage.name('merge'), from: branch, into: parent }
      const first = await run(stage, merge)
      stage.same([first.type, first.status, first.counts?.written], ['merge', 'committed', 10])
      await run(stage, merge)
      await stage.send(branch, plain(3, 'later'))
      const second = await run(stage, { op: 'merge', from: branch, into: parent })
      stage.same(second.counts?.written, 3)
      const read = await committed(stage, parent)
      const wanted = [...values('past', 2), ...values('parent', 5), ...values('branch', 10), ...values('later', 3)]
      stage.same(
        read.map(({ value }) => String(value)),
        wanted,
      )
      const source = read[7]!.headers.find(([name]) => name === 'branch.src')
      stage.same(String(source?.[1]), `${branch}:0:2`, 'where it comes from stands in a header')
    },
  ),

  'branch.three-way': scenario('keys are merged by what changed on either side (B25)', async (stage) => {
    needsBranches()
    const parent = await stage.topic('keyed', 1, { 'cleanup.policy': 'compact' })
    const put = (values: Record<string, string | null>) => Object.entries(values).map(([k, v]) => record(k, v))
    const base = { branch: '0', parent: '0', same: '0', both: '0', gone: '0', 'gone-twice': '0' }
    await stage.send(parent, put(base))
    const branch = `${parent}--try`
    await done(stage, { op: 'fork', from: parent, to: branch })
    await stage.send(branch, put({ branch: '1', same: 's', both: 'b', gone: null, 'gone-twice': null, new: 'n' }))
    await stage.send(parent, put({ parent: '2', same: 's', both: 'p', 'gone-twice': null }))
    const plan = await run(stage, { op: 'plan', from: branch, into: parent })
    stage.same([plan.status, plan.counts?.conflicts], ['conflicts', 1])
    const refused = await run(stage, { op: 'merge', from: branch, into: parent })
    stage.same([refused.status, refused.counts?.written], ['conflicts', 0])
    const merged = await run(stage, { op: 'merge', from: branch, into: parent, onConflict: 'theirs' })
    stage.same(merged.status, 'committed')
    stage.same(newest(await committed(stage, parent)), {
      branch: '1',
      parent: '2',
      same: 's',
      both: 'b',
      gone: null,
      'gone-twice': null,
      new: 'n',
    })
  }),

  'branch.park': scenario(
    'conflicts are parked where a plain consumer reads them, and resolved by a line of JSON (B28)',
    async (stage) => {
      needsBranches()
      const parent = await stage.topic('parked', 1, { 'cleanup.policy': 'compact' })
      const values = (value: string, from: number, to: number) =>
        Array.from({ length: to - from }, (_, i) => record(`k${from + i}`, value))
      await stage.send(parent, values('base', 0, 20))
      const branch = `${parent}--try`
      await done(stage, { op: 'fork', from: parent, to: branch })
      await stage.send(branch, values('branch', 0, 20))
      await stage.send(parent, values('parent', 18, 20))
      const merge = stage.name('merge')
      const parked = await run(stage, { op: 'merge', id: merge, from: branch, into: parent, onConflict: 'park' })
      stage.same([parked.status, parked.counts?.written, parked.counts?.conflicts], ['parked', 18, 2])
      const open = await stage.consumer('__branch_conflicts', 'start')
      const mine = () => open.seen.map((one) => one.record).filter(({ key }) => String(key).startsWith(`${merge}|`))
      await open.until('both conflicts came', () => mine().length >= 2)
      const told = mine().map(({ value }) => JSON.parse(String(value)))
      stage.same(
        told.map(({ key, kind, base, ours, theirs }) => [key, kind, base.value, ours.value, theirs.value]),
        ['k18', 'k19'].map((key) => [key, 'edit/edit', 'base', 'parent', 'branch']),
      )
      const resolve = {
        op: 'resolve',
        id: stage.name('resolve'),
        merge,
        topic: parent,
        partition: 0,
        key: 'k18',
        take: 'theirs',
      }
      stage.same((await run(stage, resolve)).status, 'done')
      await run(stage, resolve)
      await open.until('the conflict is closed', () => mine().length >= 3)
      stage.same(mine()[2]!.value, null)
      await open.close()
      const after = await committed(stage, parent)
      const wanted = [...values('base', 0, 20), ...values('parent', 18, 20), ...values('branch', 0, 19)]
      const bare = after.map(({ key, value }) => record(key, value))
      stage.same(shown(bare), shown(wanted), 'the clean keys, and the one that was resolved, once')
    },
  ),
}
