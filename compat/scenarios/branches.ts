// Branches as a client has them that knows nothing of branches: made by a configuration or by a line of JSON, then a topic
// like any other. Only against a broker that has them.
import { Cannot } from '../hand.ts'
import { until } from '../process.ts'
import { record, shown, text } from '../records.ts'
import { scenario } from '../scenario.ts'
import type { Joining, Stage } from '../stage.ts'

const { COMPAT_BOOTSTRAP: foreign, COMPAT_BRANCHES: has } = process.env
/** A broker given with --bootstrap is a real Kafka, unless somebody says that it has branches. */
export const noBranches = foreign && !has ? 'no other broker has branches' : undefined

export function needsBranches(): void {
  if (noBranches !== undefined) throw new Cannot(noBranches)
}

export interface BranchEvent {
  readonly id: string
  readonly type: string
  readonly status: string
  readonly error?: unknown
  readonly counts?: { readonly written: number; readonly conflicts: number; readonly same: number }
  readonly topics?: readonly { readonly from: string; readonly into: string }[]
  readonly bootstrap?: string
}

export interface Command {
  readonly op: string
  readonly [field: string]: unknown
}

/** Has a command run by a line of JSON; resolves with the event that says more of it than that it has begun. */
export async function run(stage: Stage, command: Command): Promise<BranchEvent> {
  needsInternal(stage)
  const { id = stage.name(command.op) } = command
  const history = await stage.consumer('__branches', 'end')
  await stage.send('__branch_commands', [record(null, JSON.stringify({ ...command, id }))])
  const events = () => history.values.map((value): BranchEvent => JSON.parse(value))
  const result = () => events().find((event) => event.id === id && event.type !== 'merge-begin')
  await history.until(`${command.op} has its result`, () => result() !== undefined)
  await history.close()
  return result()!
}

/** The same for a command that nothing stands in the way of. */
export async function done(stage: Stage, command: Command): Promise<BranchEvent> {
  const event = await run(stage, command)
  stage.same(event.status, 'done', JSON.stringify(event.error))
  return event
}

/** `@platformatic/kafka` drops internal topics from what Metadata answers: it can read none, `__consumer_offsets` neither. */
export function needsInternal({ hand }: Stage): void {
  const { client } = hand.hello
  if (client.includes('platformatic')) throw new Cannot(`${client} cannot read internal topics`)
}

async function isListed(stage: Stage, topic: string): Promise<boolean> {
  return (await stage.ask('listTopics', {})).topics.includes(topic)
}

/** Both sides begin with what was there, go on at the same offset, and see nothing of each other. */
async function areApart(stage: Stage, parent: string, branch: string, past: ReturnType<typeof text>): Promise<void> {
  await stage.holds(branch, past)
  const here = record('here', 'of the parent')
  const there = record('there', 'of the branch')
  await stage.send(parent, [here])
  await stage.send(branch, [there])
  for (const [topic, last] of [
    [parent, here],
    [branch, there],
  ] as const) {
    const read = await stage.read(topic, past.length + 1)
    stage.same(shown(read.map((one) => one.record)), shown([...past, last]), `${topic} has its own last record`)
    stage.same(read.at(-1)!.offset, past.length, 'at the offset where the branch began')
  }
}

/** Their own patterns leave internal topics out; those of the others take `__consumer_offsets` too. */
const skipInternal = /java(?!script)|kafka-clients|franz-go|kafka-python|aiokafka/i

function pattern(joining: Omit<Joining, 'topics' | 'pattern'>) {
  return async (stage: Stage) => {
    needsBranches()
    needsInternal(stage)
    stage.needs('joinGroup', joining)
    const { client } = stage.hand.hello
    if (joining.protocol !== 'consumer' && !skipInternal.test(client)) {
      throw new Cannot(`the patterns of ${client} match internal topics, as they match __consumer_offsets`)
    }
    for (const told of ['__branches', '__branch_conflicts']) {
      const consumer = await stage.consumer(told, 'end')
      await consumer.poll()
      await consumer.close()
    }
    const prefix = stage.name('patterned')
    await stage.ask('createTopic', { topic: `${prefix}-a`, partitions: 1 })
    const wanted = `(__branches|__branch_conflicts|${prefix}-.*)`
    const member = await stage.member(stage.name('patterned-group'), { pattern: wanted, ...joining })
    const names = () => [...new Set(member.assigned.map(({ topic }) => topic))].sort()
    await member.until('the topic is assigned', () => names().includes(`${prefix}-a`))
    await stage.ask('createTopic', { topic: `${prefix}-b`, partitions: 1 })
    await stage.send(`${prefix}-b`, text(1, 'b'))
    await member.until('a topic that came later is assigned', () => names().includes(`${prefix}-b`))
    stage.same(names(), [`${prefix}-a`, `${prefix}-b`])
  }
}

/** One consumer of a topic and all its lives, which was there before they were. */
function family(joining: Omit<Joining, 'topics' | 'pattern'>) {
  return async (stage: Stage) => {
    needsBranches()
    stage.needs('joinGroup', { pattern: 'any', ...joining })
    needsInternal(stage)
    const parent = await stage.topic('family')
    const other = await stage.topic('family-other')
    const past = text(10, 'past')
    await stage.send(parent, past)
    const group = stage.name('family-group')
    const member = await stage.member(group, { pattern: `${parent}(--.*)?$`, ...joining })
    await member.until('the past came', () => member.seen.length >= 10)
    await stage.ask('commitOffsets', { consumer: member.name })
    const branch = `${parent}--try`
    await done(stage, { op: 'fork', id: branch, from: parent, to: branch, groups: 'fork' })
    await member.until('the branch is assigned', () => member.assigned.some(({ topic }) => topic === branch))
    await stage.send(branch, text(2, 'own'))
    await stage.send(parent, text(2, 'on'))
    await stage.send(other, text(2, 'other'))
    await member.until('what came to both came', () => member.keys.length >= 14)
    await member.poll(500)
    const seen = member.seen.map(({ topic, offset, record: { key } }) => `${topic} ${offset} ${key}`).sort()
    const wanted = [
      ...past.map(({ key }, i) => `${parent} ${i} ${key}`),
      ...text(2, 'on').map(({ key }, i) => `${parent} ${10 + i} ${key}`),
      ...text(2, 'own').map(({ key }, i) => `${branch} ${10 + i} ${key}`),
    ]
    stage.same(seen, wanted.sort(), 'each record once, and none of those that the branch has inherited')
  }
}

export const branches = {
  'branch.create': scenario(
    'a topic created with branch.from has the records of its parent; then each goes its own way (B1, B2)',
    async (stage) => {
      needsBranches()
      const parent = await stage.topic('branch')
      const past = text(20, 'branch')
      await stage.send(parent, past)
      const branch = `${parent}--try`
      await stage.ask('createTopic', { topic: branch, partitions: 1, configs: { 'branch.from': parent } })
      await until('the branch is listed', () => isListed(stage, branch))
      if (stage.can('describeConfigs')) {
        const names = ['branch.from', 'branch.offsets']
        const { configs } = await stage.ask('describeConfigs', { resource: 'topic', name: branch, names })
        stage.same(configs['branch.from']?.value, parent)
        stage.same(configs['branch.offsets']?.value, '0=20')
      }
      await areApart(stage, parent, branch, past)
    },
  ),

  'branch.command': scenario(
    'a line of JSON produced to __branch_commands makes a branch, and __branches tells of it (B22)',
    async (stage) => {
      needsBranches()
      const parent = await stage.topic('commanded')
      const past = text(20, 'commanded')
      await stage.send(parent, past)
      const branch = `${parent}--try`
      const command = JSON.stringify({ op: 'fork', id: branch, from: parent, to: branch })
      await stage.send('__branch_commands', [record(null, command)])
      await until('the branch is listed', () => isListed(stage, branch))
      await areApart(stage, parent, branch, past)
      needsInternal(stage)
      const history = await stage.consumer('__branches', 'start')
      const events = () => history.values.map((value) => JSON.parse(value))
      await history.until('the fork is told', () => events().some(({ id }) => id === branch))
      const { type, status, topics } = events().find(({ id }) => id === branch)
      stage.same([type, status, topics[0].from, topics[0].into], ['fork', 'done', parent, branch])
      await history.close()
    },
  ),

  'branch.family': scenario(
    'who subscribes to a topic and all its branches gets a branch made later, and no inherited record again (B18)',
    family({}),
  ),

  'branch.family-848': scenario('KIP-848: the broker matches the pattern (B18)', family({ protocol: 'consumer' })),

  'branch.pattern': scenario('a pattern that matches __branches does not bring it to a member (B61)', pattern({})),

  'branch.pattern-848': scenario(
    'KIP-848: the broker leaves the topics that are an API out of every pattern (B61)',
    pattern({ protocol: 'consumer' }),
  ),
}
