// Waits for what must come, and fails for what is wrong, never because the machine had something else to do: vi.waitFor
// itself gives up after a second.

import { vi } from 'vitest'

/** Below the time that a test has, so that what was expected is said. */
const timeout = 50_000

/** What `look` gives once it does not throw any more. */
export const eventually = <T>(look: () => T | Promise<T>): Promise<T> => vi.waitFor(look, { timeout, interval: 10 })
