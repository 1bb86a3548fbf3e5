// What is started and what is imported come as a few files instead of two hundred: the broker is ready in two thirds of
// the time. Packages stay outside, so that npm keeps them up to date.

import { readFileSync } from 'node:fs'

const { dependencies, optionalDependencies } = JSON.parse(
  readFileSync(new URL('package.json', import.meta.url), 'utf8'),
)

export default {
  input: ['dist/src/main.js', 'dist/src/index.js'],
  platform: 'node',
  logLevel: 'warn',
  external: Object.keys({ ...dependencies, ...optionalDependencies }),
  output: { dir: 'dist/bundle', format: 'esm', cleanDir: true },
}
