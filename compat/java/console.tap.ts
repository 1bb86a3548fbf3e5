// The Java console tools, the yardstick of what an operator types, and the newest Java client beside them.
import t from 'tap'
import { type BrokerUnderTest, type StopSignal, startBroker } from '../broker.ts'
import { type Part, playParts } from '../play.ts'
import { missing, until } from '../process.ts'
import { fresh } from '../records.ts'
import { groupParts } from './groups.ts'
import { Console, Hand, prepare } from './jvm.ts'
import { recordParts } from './records.ts'
import { topicParts } from './topics.ts'

t.setTimeout(900_000) // the first run also fetches the jars
const absent = missing('java', 'javac', 'mvn')
if (absent) t.plan(0, absent)
else await main()

async function main(): Promise<void> {
  await prepare()
  const broker = await startBroker('console')
  t.teardown(() => broker.stop())
  const kafka = new Console(broker.bootstrap)
  const hand = new Hand(broker.bootstrap)
  t.teardown(() => hand.stop())
  const parts = {
    ...topicParts(kafka, hand),
    ...recordParts(kafka, hand),
    ...groupParts(kafka, hand),
    'restart.SIGTERM': across(broker, hand, 'SIGTERM'),
    'restart.SIGKILL': across(broker, hand, 'SIGKILL'),
  }
  await playParts(t, 'console', '4.3.1', parts, 'no console tool does that')
}

function across(broker: BrokerUnderTest, hand: Hand, signal: StopSignal): Part {
  if (broker.restartSkip) return broker.restartSkip
  return async (t) => {
    const topic = fresh(`java-restart-${signal}`)
    const acknowledged = async () => Number(await hand.command('flood-count'))
    await hand.open() // the newest client's defaults: idempotent, acks=all, five batches on their way
    await hand.command('flood', topic)
    await until('the flood runs', async () => (await acknowledged()) > 1_000)
    await broker.restart(signal)
    const before = await acknowledged()
    await until('the flood goes on', async () => (await acknowledged()) > before + 1_000)
    const [sentCount, acknowledgedCount, ...failure] = (await hand.command('flood-stop')).split(' ')
    t.equal(failure.join(' '), 'none', 'no record was given up')
    t.equal(acknowledgedCount, sentCount)
    t.equal(await hand.command('offset-at', topic, '-1'), sentCount, 'no record twice, none missing')
    const read = await hand.read(topic, 0, Number(sentCount))
    t.same(
      read.map(({ record }) => Number(record.value)),
      [...Array(Number(sentCount)).keys()],
    )
  }
}
