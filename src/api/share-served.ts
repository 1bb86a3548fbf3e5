// Whether share groups are served at all, and a group by this node.

import { Refusal } from '../../protocol/errors.ts'
import type { Context } from './api.ts'
import { groupElsewhere } from './coordinator.ts'

/** The cluster may have agreed to do without (feature share.version at 0, KIP-932). */
export const refuseShares = ({ broker }: Context): Refusal | undefined =>
  broker.features.level('share.version') > 0 ? undefined : new Refusal('UNSUPPORTED_VERSION')

/** Why a question about a share group is not answered here; undefined where it is. */
export function refuseShareGroup(groupId: string, context: Context): Refusal | undefined {
  const wrong = groupElsewhere(groupId, context)
  return refuseShares(context) ?? (wrong === undefined ? undefined : new Refusal(wrong))
}
