// FindCoordinator: which broker answers for a group or a transactional id. One key until v3, many from v4 on (KIP-699).

import { type ErrorName, errors } from '../../protocol/errors.ts'
import { findCoordinator } from '../../protocol/messages/10-find-coordinator.ts'
import { type Context, serve } from './api.ts'
import type { Rights } from './rights/rights.ts'

const kinds = ['group', 'transaction', 'share'] as const
/** A share partition: group, topic id and partition, as they are remembered (KIP-932). */
const shareKey = /^.+:[\w-]{22}:[+-]?\d{1,10}$/

export const findCoordinatorApi = serve(findCoordinator, [0, 6], (request, context) => {
  const { key, keyType, coordinatorKeys } = request
  if (context.version >= 4) return { coordinators: coordinatorKeys.map((of) => find(of, keyType, context)) }
  const { errorMessage, ...found } = find(key, keyType, context)
  // The real broker fills in the name of success here, and nothing from v4 on.
  return { ...found, errorMessage: found.errorCode === 0 ? 'NONE' : errorMessage }
})

/** From here on share partitions have a coordinator (KIP-932). */
const sharesFrom = 6

function find(key: string, keyType: number, { broker, client, version, rights }: Context) {
  const kind = kinds[keyType]
  const forbidden = rights === undefined || kind === undefined ? undefined : refuse(kind, key, rights)
  if (forbidden !== undefined) return refused(key, forbidden, errors[forbidden].sentence)
  if (kind === undefined) return refused(key, 'INVALID_REQUEST', `Coordinators of type ${keyType} are not known here.`)
  if (kind === 'share' && (version < sharesFrom || !shareKey.test(key))) return refused(key, 'INVALID_REQUEST', '')
  const id = broker.coordinator(kind, key)
  const found = broker.nodes(client.listener).find((node) => node.nodeId === id)
  if (found === undefined) return refused(key, 'COORDINATOR_NOT_AVAILABLE', errors.COORDINATOR_NOT_AVAILABLE.sentence)
  const { nodeId, host, port } = found
  return { key, nodeId, host, port, errorCode: 0, errorMessage: '' }
}

/** Only brokers ask about share partitions. */
function refuse(kind: (typeof kinds)[number], key: string, rights: Rights): ErrorName | undefined {
  switch (kind) {
    case 'group':
      return rights.group('DESCRIBE', key) ? undefined : 'GROUP_AUTHORIZATION_FAILED'
    case 'transaction':
      return rights.transactionalId('DESCRIBE', key) ? undefined : 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED'
    case 'share':
      return rights.cluster('CLUSTER_ACTION') ? undefined : 'CLUSTER_AUTHORIZATION_FAILED'
  }
}

const refused = (key: string, error: ErrorName, errorMessage: string) => ({
  key,
  nodeId: -1,
  host: '',
  port: -1,
  errorCode: errors[error].code,
  errorMessage,
})
