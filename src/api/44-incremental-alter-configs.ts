// IncrementalAlterConfigs: sets, removes, appends to and subtracts from single overrides (KIP-339).

import { incrementalAlterConfigs } from '../../protocol/messages/44-incremental-alter-configs.ts'
import { serve } from './api.ts'
import { applyConfigs } from './apply-configs.ts'

export const incrementalAlterConfigsApi = serve(incrementalAlterConfigs, [0, 1], async (request, context) => ({
  responses: await applyConfigs(request.resources, request.validateOnly, context, (resource, { configs }) =>
    resource.alter(configs),
  ),
}))
