// Errors that pass when others give something back.

import { StorageError } from '../../protocol/errors.ts'

const isOne = (cause: unknown, codes: readonly string[]): boolean =>
  cause instanceof StorageError && codes.includes(cause.code)

/** Nothing could be opened: whatever was to be done to the file has not begun, so nothing is known to have failed. */
export const lacksDescriptors = (cause: unknown): boolean => isOne(cause, ['EMFILE', 'ENFILE'])

export const isShortage = (cause: unknown): boolean =>
  lacksDescriptors(cause) || isOne(cause, ['ENOSPC', 'EDQUOT', 'ENOMEM'])

/** So long one waits for that. */
export const retryMs = 1000
