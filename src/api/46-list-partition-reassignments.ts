// ListPartitionReassignments: what is under way (KIP-455). Nothing ever is, and what is not there is not said to be missing.

import { listPartitionReassignments } from '../../protocol/messages/46-list-partition-reassignments.ts'
import { serve } from './api.ts'

export const listPartitionReassignmentsApi = serve(listPartitionReassignments, [0, 0], () => ({
  errorCode: 0,
  errorMessage: null,
  topics: [],
}))
