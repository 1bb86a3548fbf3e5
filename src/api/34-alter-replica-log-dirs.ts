// AlterReplicaLogDirs: moves a partition to another folder of its broker. There is one folder, so it is there already.

import { type ErrorName, errors } from '../../protocol/errors.ts'
import { alterReplicaLogDirs } from '../../protocol/messages/34-alter-replica-log-dirs.ts'
import { type Context, serve } from './api.ts'

function outcome(path: string, topic: string, index: number, { broker, node }: Context): ErrorName {
  if (path !== broker.store.volume().path) return 'LOG_DIR_NOT_FOUND'
  const partition = broker.topic(topic)?.partitions[index]
  if (partition === undefined) return 'UNKNOWN_TOPIC_OR_PARTITION'
  return partition.leadership.replicas.includes(node) ? 'NONE' : 'NOT_LEADER_OR_FOLLOWER'
}

export const alterReplicaLogDirsApi = serve(alterReplicaLogDirs, [1, 2], (request, context) => {
  // A partition that is named twice goes where it was named last.
  const results = new Map<string, Map<number, ErrorName>>()
  for (const { path, topics } of request.dirs) {
    for (const { name, partitions } of topics) {
      for (const index of partitions) {
        const ofTopic = results.get(name) ?? new Map<number, ErrorName>()
        results.set(name, ofTopic.set(index, outcome(path, name, index, context)))
      }
    }
  }
  return {
    results: [...results].map(([topicName, ofTopic]) => ({
      topicName,
      partitions: [...ofTopic].map(([partitionIndex, error]) => ({ partitionIndex, errorCode: errors[error].code })),
    })),
  }
})
