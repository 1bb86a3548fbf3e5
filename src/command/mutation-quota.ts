// Partitions that commands make and delete are held against `controller_mutation_rate`, as those of CreateTopics and DeleteTopics are
// (KIP-599): who owes something from before is refused, and told how long to wait.

import { inProcess } from '../auth/authorizer.ts'
import { Rejection } from '../branch/events.ts'
import type { Broker } from '../broker/broker.ts'
import type { ForkRequest } from './fork-request.ts'
import type { Call } from './operations.ts'

export function refuseMutation(
  partitions: number,
  { by, host, clientId }: Call,
  { throttle }: Broker,
): Rejection | undefined {
  // A program that has the broker inside is no client of its.
  if (host === inProcess) return undefined
  const { refused, ms } = throttle.mutate({ principal: by, clientId: clientId ?? null }, partitions, true)
  if (!refused) return undefined
  const message = `The quota controller_mutation_rate is used up: give the command again in ${ms} ms, under another id.`
  return new Rejection('THROTTLING_QUOTA_EXCEEDED', message)
}

/** That a fork makes; a reset, which drops a branch for each that it makes, counts both. Only tried out it is as many, as in Kafka. */
export function partitionsOf({ topics, isReset = false }: ForkRequest, broker: Broker): number {
  const made = topics.reduce((sum, { from }) => sum + (broker.topic(from)?.partitions.length ?? 0), 0)
  return isReset ? 2 * made : made
}
