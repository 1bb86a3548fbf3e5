// What somebody may do with a resource, as bits (KIP-430): all that its kind knows without an authorizer, else what ACLs say.

import { expect, test } from 'vitest'
import { metadata } from '../../protocol/messages/03-metadata.ts'
import { describeGroups } from '../../protocol/messages/15-describe-groups.ts'
import { createAcls } from '../../protocol/messages/30-create-acls.ts'
import { describeCluster } from '../../protocol/messages/60-describe-cluster.ts'
import { describeTopicPartitions } from '../../protocol/messages/75-describe-topic-partitions.ts'
import { type Operation, operations, permissions, resourceTypes } from '../../src/auth/acl.ts'
import { Line } from './line.ts'

const config = {
  'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
  'allow.everyone.if.no.acl.found': 'true',
}

const wordsOf = (bits: number): string[] =>
  Object.entries(operations).flatMap(([word, code]) => (bits & (1 << code) ? [word] : []))

const ofTopics = ['READ', 'WRITE', 'CREATE', 'DELETE', 'ALTER', 'DESCRIBE', 'DESCRIBE_CONFIGS', 'ALTER_CONFIGS']
const ofGroups = ['READ', 'DELETE', 'DESCRIBE', 'DESCRIBE_CONFIGS', 'ALTER_CONFIGS']
const ofCluster = [
  'CREATE',
  'ALTER',
  'DESCRIBE',
  'CLUSTER_ACTION',
  'DESCRIBE_CONFIGS',
  'ALTER_CONFIGS',
  'IDEMPOTENT_WRITE',
]

async function told(line: Line) {
  const asked = { topics: [{ name: 'orders' }, { name: 'stock' }], allowAutoTopicCreation: false }
  const both = { includeTopicAuthorizedOperations: true, includeClusterAuthorizedOperations: true }
  const { topics, clusterAuthorizedOperations } = await line.ask(metadata, 8, { ...asked, ...both })
  const { groups } = await line.ask(describeGroups, 5, { groups: ['g'], includeAuthorizedOperations: true })
  const cluster = await line.ask(describeCluster, 1, { includeClusterAuthorizedOperations: true })
  const paged = await line.ask(describeTopicPartitions, 0, { topics: [{ name: 'orders' }], cursor: null })
  const byName = topics.map(({ name, topicAuthorizedOperations }) => [name, wordsOf(topicAuthorizedOperations)])
  return {
    ...(Object.fromEntries(byName) as { orders: string[]; stock: string[] }),
    paged: wordsOf(paged.topics[0]!.topicAuthorizedOperations),
    group: wordsOf(groups[0]!.authorizedOperations),
    cluster: wordsOf(cluster.clusterAuthorizedOperations),
    olderCluster: wordsOf(clusterAuthorizedOperations),
  }
}

const sorted = (words: readonly string[]) => Object.keys(operations).filter((word) => words.includes(word))

test.each([{}, config])('with %j and no ACL they are all that there are', async (configs) => {
  await using line = await Line.open(['orders', 'stock'], configs)
  expect(await told(line)).toEqual({
    orders: sorted(ofTopics),
    stock: sorted(ofTopics),
    paged: sorted(ofTopics),
    group: sorted(ofGroups),
    cluster: sorted(ofCluster),
    olderCluster: sorted(ofCluster),
  })
})

test('with an authorizer they are what ACLs allow, and what that implies', async () => {
  await using line = await Line.open(['orders', 'stock'], config)
  const acl = (type: keyof typeof resourceTypes, resourceName: string, operation: Operation) => ({
    resourceType: resourceTypes[type],
    resourceName,
    principal: 'User:ANONYMOUS',
    host: '*',
    operation: operations[operation],
    permissionType: permissions.ALLOW,
  })
  await line.ask(createAcls, 3, {
    creations: [
      acl('TOPIC', 'orders', 'READ'),
      acl('TOPIC', 'orders', 'ALTER_CONFIGS'),
      acl('GROUP', 'g', 'DELETE'),
      acl('CLUSTER', 'kafka-cluster', 'ALTER'),
    ],
  })
  expect(await told(line)).toEqual({
    orders: ['READ', 'DESCRIBE', 'DESCRIBE_CONFIGS', 'ALTER_CONFIGS'],
    stock: sorted(ofTopics),
    paged: ['READ', 'DESCRIBE', 'DESCRIBE_CONFIGS', 'ALTER_CONFIGS'],
    group: ['DELETE', 'DESCRIBE'],
    cluster: ['ALTER', 'DESCRIBE'],
    olderCluster: ['ALTER', 'DESCRIBE'],
  })
})

test('nothing is told of a cluster to those who may not describe it', async () => {
  await using line = await Line.open(['orders', 'stock'], config)
  const creation = {
    resourceType: resourceTypes.CLUSTER,
    resourceName: 'kafka-cluster',
    principal: 'User:ANONYMOUS',
    host: '*',
    operation: operations.CREATE,
    permissionType: permissions.ALLOW,
  }
  await line.ask(createAcls, 3, { creations: [creation] })
  expect(await told(line)).toMatchObject({ cluster: [], olderCluster: [] })
})
