#!/usr/bin/env node
// What is called `twiglog`: loads the program with the code that V8 made of it when it was built, and runs it.

import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { loadCompiled } from './compiled.ts'

type Program = typeof import('./program.ts')

const bundled = fileURLToPath(new URL('./program-body.cjs', import.meta.url))
const { run } = existsSync(bundled) ? loadCompiled<Program>(bundled).exports : await import('./program.ts')
await run(process.argv.slice(2))
