// KafkaJS: a client written in JavaScript alone, with its own idea of the older protocol versions.
import t from 'tap'
import { startBroker } from '../broker.ts'
import { play } from '../scenarios.ts'
import { Client } from './client.ts'
import { groupParts } from './groups.ts'
import { recordParts } from './records.ts'
import { restartParts } from './restart.ts'
import { topicParts } from './topics.ts'

t.setTimeout(300_000)
const broker = await startBroker()
t.teardown(() => broker.stop())
const client = await Client.connect(broker.bootstrap)
t.teardown(() => client.disconnect())

await play(t, {
  ...topicParts(client),
  ...(await recordParts(client)),
  ...groupParts(client),
  ...restartParts(client, broker),
})
