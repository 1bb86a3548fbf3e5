// What the three ACL APIs have in common while nothing authorises.

import { errors, ProtocolViolation } from '../../protocol/errors.ts'

/** 0 is UNKNOWN in each of these codes; whoever sends it is cut off by a real broker, authorizer or not. */
export function checkAclCodes(...codes: readonly number[]): void {
  if (codes.includes(0)) throw new ProtocolViolation('an ACL with an element of kind UNKNOWN')
}

/** A real broker says it in its own words and its controller in others. */
export const noAuthorizer = (where = '') => ({
  errorCode: errors.SECURITY_DISABLED.code,
  errorMessage: `No Authorizer is configured${where}`,
})
