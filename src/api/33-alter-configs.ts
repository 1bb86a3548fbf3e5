// AlterConfigs: replaces all overrides of a topic or broker. Old, but the only one that some clients know.

import { alterConfigs } from '../../protocol/messages/33-alter-configs.ts'
import { serve } from './api.ts'
import { applyConfigs } from './apply-configs.ts'

export const alterConfigsApi = serve(alterConfigs, [0, 2], async (request, context) => ({
  responses: await applyConfigs(request.resources, request.validateOnly, context, (resource, { configs }) =>
    resource.replace(configs),
  ),
}))
