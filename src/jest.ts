// What `require('twiglog/jest')` gives: one broker per run, one branch set per test file. Bundled as CommonJS, which is what Jest loads.

import { type BranchOptions, TestBranch } from './fixture-branch.ts'
import type { FixtureOptions, RunningFixture } from './fixture-broker.ts'

/** Workers are started after the broker and inherit it. */
const addressName = 'TWIGLOG_JEST'
/** Setup and teardown share nothing but the process. */
const running = Symbol.for('twiglog.jest')
/** Each of several projects of one run has its own. */
type Shared = { [running]?: RunningFixture[] }

/** A `globalSetup`: starts the broker and seeds it. It needs `stopBroker` as `globalTeardown`. */
export function globalBroker(options: FixtureOptions = {}): () => Promise<void> {
  return async () => {
    const { startFixture } = await import('./fixture-broker.ts')
    const fixture = await startFixture(options)
    const shared = globalThis as Shared
    shared[running] = [...(shared[running] ?? []), fixture]
    process.env[addressName] = fixture.address
  }
}

/** A `globalTeardown`. */
export async function stopBroker(): Promise<void> {
  const shared = globalThis as Shared
  const fixtures = shared[running] ?? []
  shared[running] = []
  await Promise.all(fixtures.map((fixture) => fixture.stop()))
}

/** Jest's own, which every test file finds among its globals. */
type Hook = (run: () => Promise<void>) => void
declare const beforeAll: Hook
declare const afterAll: Hook

/** Gives the test file topics of its own, as they were after seeding; call it at the top of the file. */
export function useBranch(options: BranchOptions = {}): TestBranch {
  const branch = new TestBranch()
  beforeAll(() => branch.begin(process.env[addressName], options))
  afterAll(() => branch.end())
  return branch
}

export type { BranchOptions, FixtureOptions, TestBranch }
