// What a reader that has a quota may ask for at once: more would silence it for long afterwards.

import type { Context } from './api.ts'

/** The request, with no more bytes than the quota gives for one answer. */
export function withinQuota<R extends { minBytes: number; maxBytes: number }>(request: R, context: Context): R {
  const { throttle } = context.broker
  if (!throttle.isOn) return request
  const { client, clientId } = context
  const most = throttle.bytesMax('consumer_byte_rate', { principal: client.principal, clientId })
  const { minBytes, maxBytes } = request
  // Batches come whole, so it may never be quite as much: who waits for more than there can be waits for anything.
  return { ...request, minBytes: minBytes > most ? 1 : minBytes, maxBytes: Math.min(maxBytes, most) }
}
