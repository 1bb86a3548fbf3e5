// What a client is told that may not: on a broker of its own with Kafka's authorizer, where what no ACL speaks of is allowed. ACLs are made by
// KafkaJS, whoever plays: hardly any hand makes some.
import kafkajs from 'kafkajs'
import { startGuarded } from '../broker.ts'
import { record, text } from '../records.ts'
import { scenario } from '../scenario.ts'
import type { Stage } from '../stage.ts'
import { needsBranches, needsInternal, run } from './branches.ts'

const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, Kafka, logLevel, ResourcePatternTypes } = kafkajs

type Operation = 'READ' | 'WRITE' | 'DESCRIBE_CONFIGS'

/** Everybody may do this with a topic, and from the first time on nobody anything else. */
async function allow(bootstrap: string, topic: string, ...operations: Operation[]): Promise<void> {
  const admin = new Kafka({ brokers: [bootstrap], logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  try {
    const acl = operations.map((operation) => ({
      resourceType: AclResourceTypes.TOPIC,
      resourceName: topic,
      resourcePatternType: ResourcePatternTypes.LITERAL,
      principal: 'User:ANONYMOUS',
      host: '*',
      operation: AclOperationTypes[operation],
      permissionType: AclPermissionTypes.ALLOW,
    }))
    await admin.createAcls({ acl })
    // kafka-go asks where a topic ends before it has named it to anybody who would make it.
    await admin.fetchTopicMetadata({ topics: ['__branches', '__branch_commands'] })
  } finally {
    await admin.disconnect()
  }
}

async function isRefused(guarded: Stage, bootstrap: string): Promise<void> {
  const parent = await guarded.topic('guarded')
  await guarded.send(parent, text(3, 'guarded'))
  await allow(bootstrap, parent, 'WRITE')
  const branch = `${parent}--try`
  const configs = { 'branch.from': parent }
  await guarded.refused(
    guarded.ask('createTopic', { topic: branch, partitions: 1, configs }),
    'TOPIC_AUTHORIZATION_FAILED',
    'CLIENT',
  )
  const fork = { op: 'fork', from: parent, to: branch }
  const { status, error } = await run(guarded, fork)
  guarded.same([status, (error as { code?: string }).code], ['rejected', 'TOPIC_AUTHORIZATION_FAILED'])
  await guarded.send(parent, [record('it may write', 'still')])

  await allow(bootstrap, parent, 'READ', 'DESCRIBE_CONFIGS')
  guarded.same((await run(guarded, fork)).status, 'done')
  guarded.same((await guarded.read(branch, 4)).length, 4, 'the branch has the records of its parent')

  const closed = await guarded.topic('closed')
  await allow(bootstrap, closed, 'READ')
  await guarded.refused(guarded.send(closed, [record('k', 'v')]), 'TOPIC_AUTHORIZATION_FAILED', 'CLIENT')
}

export const rights = {
  'branch.rights': scenario(
    'who may not read a topic can neither fork it by CreateTopics nor by a command, and who may not write is told so (B55)',
    async (stage) => {
      needsBranches()
      needsInternal(stage)
      const broker = await startGuarded()
      try {
        const guarded = await stage.inside({ bootstrap: broker.bootstrap })
        await isRefused(guarded, broker.bootstrap)
        stage.claimCount += guarded.claimCount
        await guarded.closeAll()
      } finally {
        await broker.stop()
      }
    },
  ),
}
