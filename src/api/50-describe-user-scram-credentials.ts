// DescribeUserScramCredentials: which users have a password, by which mechanisms (KIP-554). No secret leaves.

import { Refusal } from '../../protocol/errors.ts'
import { describeUserScramCredentials } from '../../protocol/messages/50-describe-user-scram-credentials.ts'
import { type Context, serve } from './api.ts'
import { namedTwice } from './named-twice.ts'

function describe(user: string, twice: boolean, { broker }: Context) {
  const refused = (refusal: Refusal) => {
    const { code: errorCode, message: errorMessage } = refusal
    return { user, errorCode, errorMessage, credentialInfos: [] }
  }
  if (twice) {
    const why = `Cannot describe SCRAM credentials for the same user twice in a single request: ${user}`
    return refused(new Refusal('DUPLICATE_RESOURCE', why))
  }
  const credentials = broker.scram.of(user)
  if (credentials === undefined) {
    const why = `Attempt to describe a user credential that does not exist: ${user}`
    return refused(new Refusal('RESOURCE_NOT_FOUND', why))
  }
  // The stronger hash first, as a real controller was seen to list them.
  const credentialInfos = [...credentials]
    .sort(([one], [other]) => other - one)
    .map(([mechanism, { iterations }]) => ({ mechanism, iterations }))
  return { user, errorCode: 0, errorMessage: '', credentialInfos }
}

export const describeUserScramCredentialsApi = serve(describeUserScramCredentials, [0, 0], ({ users }, context) => {
  const all = users === null || users.length === 0
  const names = all ? context.broker.scram.users() : users.map(({ name }) => name)
  const twice = namedTwice(names)
  const results = [...new Set(names)].map((name) => describe(name, twice.has(name), context))
  return { errorCode: 0, errorMessage: '', results }
})
