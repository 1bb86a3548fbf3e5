// Batches that nobody can unpack, neither we nor a client: they have no revisions.

import { ProtocolViolation } from '../../protocol/errors.ts'
import { CompressionError, UnsupportedCompression } from '../../protocol/records/compression-error.ts'

const kinds = [CompressionError, UnsupportedCompression, ProtocolViolation]

export const isUnreadable = (cause: unknown): boolean => kinds.some((kind) => cause instanceof kind)
