// DescribeConfigs: every configuration of a topic or broker, with its source, type and, if asked for, synonyms and words.

import { errors, Refusal } from '../../protocol/errors.ts'
import { describeConfigs } from '../../protocol/messages/32-describe-configs.ts'
import type { DescribeRequest } from '../broker/config-entry.ts'
import { type Context, serve } from './api.ts'
import { findResource } from './config-resource.ts'

type Asked = { resourceType: number; resourceName: string; configurationKeys: string[] | null }

function describe({ resourceType, resourceName, configurationKeys }: Asked, wants: DescribeRequest, context: Context) {
  const resource = findResource(resourceType, resourceName, context)
  if (resource instanceof Refusal) {
    const { code: errorCode, message: errorMessage } = resource
    return { errorCode, errorMessage, resourceType, resourceName, configs: [] }
  }
  const configs = resource.describe({ ...wants, names: configurationKeys })
  // Not null: some clients read it without asking.
  return { errorCode: 0, errorMessage: '', resourceType, resourceName, configs }
}

/**
 * Kafka answers one resource as often as it is named, and 140 KB of a request become gigabytes. No client names one twice;
 * whoever does it more often than this is told so instead.
 */
const repeatsMax = 100

function isNamedTooOften({ resourceType, resourceName }: Asked, counts: Map<string, number>): boolean {
  const key = `${resourceType} ${resourceName}`
  const count = (counts.get(key) ?? 0) + 1
  counts.set(key, count)
  return count > repeatsMax
}

const tooOften = ({ resourceType, resourceName }: Asked) => ({
  errorCode: errors.INVALID_REQUEST.code,
  errorMessage: `The resource is named more than ${repeatsMax} times.`,
  resourceType,
  resourceName,
  configs: [],
})

export const describeConfigsApi = serve(describeConfigs, [1, 4], (request, context) => {
  const wants = {
    synonyms: request.includeSynonyms,
    documentation: request.includeDocumentation,
    names: null,
  }
  const counts = new Map<string, number>()
  const results = request.resources.map((asked) =>
    isNamedTooOften(asked, counts) ? tooOften(asked) : describe(asked, wants, context),
  )
  return { results }
})
