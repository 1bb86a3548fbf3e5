// AlterUserScramCredentials: gives users passwords and takes them (KIP-554). One change for a user and request; each by itself.

import { Refusal } from '../../protocol/errors.ts'
import { alterUserScramCredentials } from '../../protocol/messages/51-alter-user-scram-credentials.ts'
import type { Deletion, Upsertion } from '../broker/scram-credentials.ts'
import { storageRefusal } from '../broker/storage-refusal.ts'
import { serve } from './api.ts'

export const alterUserScramCredentialsApi = serve(alterUserScramCredentials, [0, 0], async (request, { broker }) => {
  const outcomes = new Map<string, Refusal | undefined>()
  const [deletions, upsertions] = [new Map<string, Deletion>(), new Map<string, Upsertion>()]
  const take = <T extends Deletion>(asked: T, into: Map<string, T>, check: (asked: T) => Refusal | undefined) => {
    const { name } = asked
    // What was wrong with a user first is what is said.
    if (outcomes.get(name) !== undefined) return
    const again = 'A user credential cannot be altered twice in the same request'
    const refusal = outcomes.has(name) ? new Refusal('DUPLICATE_RESOURCE', again) : check(asked)
    outcomes.set(name, refusal)
    if (refusal === undefined) into.set(name, asked)
    else for (const planned of [deletions, upsertions]) planned.delete(name)
  }
  for (const deletion of request.deletions) take(deletion, deletions, (asked) => broker.scram.checkDeletion(asked))
  for (const upsertion of request.upsertions) take(upsertion, upsertions, (asked) => broker.scram.checkUpsertion(asked))
  try {
    if (deletions.size + upsertions.size > 0)
      await broker.scram.alter([...deletions.values()], [...upsertions.values()])
  } catch (cause) {
    const refusal = storageRefusal(cause)
    for (const [name, outcome] of outcomes) outcomes.set(name, outcome ?? refusal)
  }
  const results = [...outcomes].map(([user, refusal]) => {
    return { user, errorCode: refusal?.code ?? 0, errorMessage: refusal?.message ?? null }
  })
  return { results }
})
