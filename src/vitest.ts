// What `import … from 'twiglog/vitest'` gives: one broker per run, one branch set per test file.

import type { TestProject } from 'vitest/node'
import { type BranchOptions, TestBranch } from './fixture-branch.ts'
import type { FixtureOptions } from './fixture-broker.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** Where test files ask for their branches. */
    twiglog: string
  }
}

/** There where tests are; Vitest 3 does not let itself be loaded where a `globalSetup` runs. */
const inTests = await import('vitest').catch((cause: unknown) => {
  return new Error('useBranch is for test files: Vitest cannot be loaded here.', { cause })
})

/** A `globalSetup`: starts the broker, seeds it, and stops it after the last test. */
export function globalBroker(options: FixtureOptions = {}): (project: TestProject) => Promise<() => Promise<void>> {
  return async (project) => {
    // Not needed in test files, where loading it would take its time in every one.
    const { startFixture } = await import('./fixture-broker.ts')
    const fixture = await startFixture(options)
    project.provide('twiglog', fixture.address)
    return () => fixture.stop()
  }
}

/** Gives the test file topics of its own, as they were after seeding; call it at the top of the file. */
export function useBranch(options: BranchOptions = {}): TestBranch {
  if (inTests instanceof Error) throw inTests
  const { afterAll, beforeAll, inject } = inTests
  const branch = new TestBranch()
  beforeAll(() => branch.begin(inject('twiglog'), options))
  afterAll(() => branch.end())
  return branch
}

export type { BranchOptions, FixtureOptions, TestBranch }
