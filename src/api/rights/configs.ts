// Rights on configurations: those of a topic or a group belong to it, all others to the cluster.

import { Refusal } from '../../../protocol/errors.ts'
import { describeConfigs } from '../../../protocol/messages/32-describe-configs.ts'
import { alterConfigs } from '../../../protocol/messages/33-alter-configs.ts'
import { incrementalAlterConfigs } from '../../../protocol/messages/44-incremental-alter-configs.ts'
import { resourceTypes } from '../config-resource.ts'
import { namedTwice } from '../named-twice.ts'
import { after, guard, split } from './guard.ts'
import type { Rights } from './rights.ts'

type Resource = { readonly resourceType: number; readonly resourceName: string }

const known: ReadonlySet<number> = new Set(Object.values(resourceTypes))

/** Why somebody may not; what is of no known type is refused for that. */
function forbidden(
  { resourceType, resourceName }: Resource,
  operation: 'DESCRIBE_CONFIGS' | 'ALTER_CONFIGS',
  rights: Rights,
) {
  if (!known.has(resourceType)) return undefined
  switch (resourceType) {
    case resourceTypes.topic:
      return rights.topic(operation, resourceName) ? undefined : new Refusal('TOPIC_AUTHORIZATION_FAILED')
    case resourceTypes.group:
      return rights.group(operation, resourceName) ? undefined : new Refusal('GROUP_AUTHORIZATION_FAILED')
    default:
      return rights.cluster(operation) ? undefined : new Refusal('CLUSTER_AUTHORIZATION_FAILED')
  }
}

function refuse(
  { resourceType, resourceName }: Resource,
  operation: 'DESCRIBE_CONFIGS' | 'ALTER_CONFIGS',
  rights: Rights,
) {
  const { code: errorCode, message: errorMessage } = forbidden({ resourceType, resourceName }, operation, rights)!
  return { errorCode, errorMessage, resourceType, resourceName }
}

const describeConfigsGuard = guard(describeConfigs, (request, rights, next) => {
  const operation = 'DESCRIBE_CONFIGS'
  const [resources, hidden] = split(request.resources, (of) => forbidden(of, operation, rights) === undefined)
  return after(next({ ...request, resources }), (answer) => ({
    results: [...answer.results, ...hidden.map((of) => ({ ...refuse(of, operation, rights), configs: [] }))],
  }))
})

/** The resources of a change: those that may be changed, or are refused for another reason, and those that may not. */
function splitChanges<R extends Resource>(resources: readonly R[], rights: Rights): [R[], R[]] {
  const keyOf = ({ resourceType, resourceName }: Resource) => `${resourceType} ${resourceName}`
  const twice = namedTwice(resources.map(keyOf))
  return split(resources, (of) => twice.has(keyOf(of)) || forbidden(of, 'ALTER_CONFIGS', rights) === undefined)
}

const alterConfigsGuard = guard(alterConfigs, (request, rights, next) => {
  const [resources, refused] = splitChanges(request.resources, rights)
  return after(next({ ...request, resources }), (answer) => ({
    responses: [...answer.responses, ...refused.map((of) => refuse(of, 'ALTER_CONFIGS', rights))],
  }))
})

const incrementalAlterConfigsGuard = guard(incrementalAlterConfigs, (request, rights, next) => {
  const [resources, refused] = splitChanges(request.resources, rights)
  return after(next({ ...request, resources }), (answer) => ({
    responses: [...answer.responses, ...refused.map((of) => refuse(of, 'ALTER_CONFIGS', rights))],
  }))
})

export const configGuards = [describeConfigsGuard, alterConfigsGuard, incrementalAlterConfigsGuard]
