// The last step of the build: has the bundled program start a broker once, and keeps what V8 has compiled of it by then
// (compiled.ts). Where no broker can be started the program is as good without it.

import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { keepCode, loadCompiled } from './compiled.ts'
import { collectAsEver } from './v8-threads.ts'

const program = fileURLToPath(new URL('../bundle/program-body.cjs', import.meta.url))
const inside = 'inside'
const longestMs = 60_000

if (process.argv[2] === inside) {
  const { exports, script } = loadCompiled<typeof import('./program.ts')>(program)
  await exports.run(['start', '--memory', '--port', '0', '--no-http'])
  collectAsEver()
  keepCode(program, script)
  process.exit(0)
}
// Its card is nobody's business here.
const stdio = ['ignore', 'ignore', 'inherit'] as const
const words = [...process.execArgv, fileURLToPath(import.meta.url), inside]
const { status } = spawnSync(process.execPath, words, { stdio: [...stdio], timeout: longestMs })
if (status !== 0) console.error('No compiled code was kept: twiglog starts all the same, a little later.')
