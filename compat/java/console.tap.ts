// The Java console tools, the yardstick of what an operator types.
import t from 'tap'
import { startBroker } from '../broker.ts'
import { msOfAll, playParts } from '../play.ts'
import { missing } from '../process.ts'
import { Beside } from './beside.ts'
import { adminParts } from './console/admin.ts'
import { groupParts } from './console/groups.ts'
import { recordParts } from './console/records.ts'
import { restartParts } from './console/restarts.ts'
import { rightsParts } from './console/rights.ts'
import { shareParts } from './console/shares.ts'
import { Console } from './console/tools.ts'
import { topicParts } from './console/topics.ts'
import { transactionParts } from './console/transactions.ts'
import { jars } from './jars.ts'

t.setTimeout(msOfAll)
const absent =
  missing('java', 'javac', 'mvn') ??
  (await jars('tools').then(
    () => undefined,
    () => 'the jars of the console tools could not be fetched (no network?)',
  ))
if (absent) t.plan(0, absent)
else await main()

async function main(): Promise<void> {
  const broker = await startBroker('console')
  t.teardown(() => broker.stop())
  const kafka = await Console.of(broker.bootstrap)
  const beside = await Beside.of(broker.bootstrap)
  t.teardown(() => beside.stop())
  const parts = {
    ...topicParts(kafka, beside),
    ...recordParts(kafka, beside),
    ...groupParts(kafka, beside),
    ...transactionParts(kafka, beside),
    ...shareParts(kafka, beside),
    ...adminParts(kafka, beside, broker.bootstrap),
    ...rightsParts(),
    ...restartParts(kafka, beside, broker),
  }
  await playParts(t, 'console', '4.3.1', parts, 'no console tool does that; the Java client plays it')
}
