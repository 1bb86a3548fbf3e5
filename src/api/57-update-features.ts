// UpdateFeatures: switches what the cluster has agreed to do up, down or off (KIP-584, KIP-778). All updates or none.

import { errors } from '../../protocol/errors.ts'
import { updateFeatures } from '../../protocol/messages/57-update-features.ts'
import { storageRefusal } from '../broker/storage-refusal.ts'
import { serve } from './api.ts'

export const updateFeaturesApi = serve(updateFeatures, [0, 2], async (request, { broker, version }) => {
  // Version 0 could say that a downgrade is allowed; a real controller of today takes no notice.
  const updates = request.featureUpdates.map(({ feature, maxVersionLevel, upgradeType }) => ({
    name: feature,
    level: maxVersionLevel,
    upgradeType,
  }))
  // What is said last of a feature counts.
  const last = [...new Map(updates.map((update) => [update.name, update])).values()]
  const refusals = last.map((update) => broker.features.check(update, broker.nodeId))
  const refused = refusals.find((refusal) => refusal !== undefined)
  if (refused !== undefined) {
    const all = 'The update failed for all features since the following feature had an error:'
    return { errorCode: refused.code, errorMessage: `${all} ${refused.message}`, results: [] }
  }
  if (!request.validateOnly && last.length > 0) {
    try {
      await broker.finalise(last)
    } catch (cause) {
      const { code: errorCode, message: errorMessage } = storageRefusal(cause)
      return { errorCode, errorMessage, results: [] }
    }
  }
  const results = updates.map(({ name }) => ({ feature: name, errorCode: 0, errorMessage: 'NONE' }))
  return { errorCode: errors.NONE.code, errorMessage: null, results: version <= 1 ? results : [] }
})
