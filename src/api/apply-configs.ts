// What both ways of altering configurations share: each resource by itself, checked first, then made durable.

import { Refusal } from '../../protocol/errors.ts'
import { storageRefusal } from '../broker/storage-refusal.ts'
import type { Context } from './api.ts'
import { type Configured, findToAlter, resourceTypes } from './config-resource.ts'
import { namedTwice } from './named-twice.ts'

type Named = { resourceType: number; resourceName: string }

/** `next`: the overrides that a resource will have, or why it cannot. */
export function applyConfigs<R extends Named>(
  resources: readonly R[],
  validateOnly: boolean,
  context: Context,
  next: (resource: Configured, asked: R) => Record<string, string> | Refusal,
) {
  const keyOf = ({ resourceType, resourceName }: Named) => `${resourceType} ${resourceName}`
  const twice = namedTwice(resources.map(keyOf))
  const apply = async (asked: R): Promise<Refusal | undefined> => {
    if (twice.has(keyOf(asked))) return new Refusal('INVALID_REQUEST', 'Each resource must appear at most once.')
    if (asked.resourceType === resourceTypes.topic && asked.resourceName === '') {
      return new Refusal('INVALID_REQUEST', 'The topic to configure has no name.')
    }
    const resource = findToAlter(asked.resourceType, asked.resourceName, context)
    if (resource instanceof Refusal) return resource
    const overrides = next(resource, asked)
    if (overrides instanceof Refusal) return overrides
    if (validateOnly) return undefined
    try {
      await resource.configure(overrides)
      return undefined
    } catch (cause) {
      return storageRefusal(cause)
    }
  }
  return Promise.all(
    resources.map(async (asked) => {
      const refusal = await apply(asked)
      const { resourceType, resourceName } = asked
      return { errorCode: refusal?.code ?? 0, errorMessage: refusal?.message ?? null, resourceType, resourceName }
    }),
  )
}
