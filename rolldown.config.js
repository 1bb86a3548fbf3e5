// What is started and what is imported come as a few files instead of two hundred: the broker is ready in two thirds of
// the time. Packages stay outside, so that npm keeps them up to date.

import { chmodSync, readFileSync, writeFileSync } from 'node:fs'

const { dependencies, optionalDependencies, peerDependencies } = JSON.parse(
  readFileSync(new URL('package.json', import.meta.url), 'utf8'),
)

/** npm makes a command executable once, when it installs it; what is built again later is another file. */
const executable = { name: 'executable', writeBundle: () => chmodSync('dist/bundle/main.js', 0o755) }

/** What TypeScript is told of the one file that is CommonJS: a declaration that is a module itself cannot be required. */
const jestTypes = {
  name: 'jest-types',
  writeBundle: () => {
    const from = "import('../src/jest.js', { with: { 'resolution-mode': 'import' } })"
    const functions = ['globalBroker', 'stopBroker', 'useBranch']
    const types = ['BranchOptions', 'FixtureOptions', 'TestBranch']
    const lines = [
      ...functions.map((name) => `export declare const ${name}: typeof ${from}.${name}`),
      ...types.map((name) => `export type ${name} = ${from}.${name}`),
    ]
    writeFileSync('dist/bundle/jest.d.cts', `${lines.join('\n')}\n`)
  },
}

// The last is a thread's.
const names = ['main', 'index', 'vitest', 'fixture-broker', 'revision/packing-worker']

export default [
  {
    input: names.map((name) => `dist/src/${name}.js`),
    platform: 'node',
    logLevel: 'warn',
    external: Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies }),
    plugins: [executable],
    output: { dir: 'dist/bundle', format: 'esm', cleanDir: true },
  },
  {
    // Jest loads CommonJS; the broker, which only its first process needs, stays the module that it is.
    input: 'dist/src/jest.js',
    platform: 'node',
    logLevel: 'warn',
    external: [/fixture-broker/],
    plugins: [jestTypes],
    output: { file: 'dist/bundle/jest.cjs', format: 'cjs' },
  },
]
