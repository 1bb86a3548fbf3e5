// @confluentinc/kafka-javascript, played through its hand. Its binary comes from GitHub, or out of a compiler.
import { playClient } from '../play.ts'
import { run } from '../process.ts'
import { installed } from './install.ts'
import { nodeHand } from './run.ts'

const buildMs = 900_000

await playClient({
  name: 'confluent-javascript',
  needs: ['npm', 'gcc', 'g++', 'make'],
  prepare: async () => {
    await installed('confluent', { withoutScripts: true, afterwards: build })
    return nodeHand('confluent/hand.ts')
  },
  from: import.meta.url,
})

async function build(folder: string): Promise<void> {
  const { code, stdout, stderr } = await run('./build.sh', [], { cwd: folder, timeoutMs: buildMs })
  if (code !== 0) throw new Error(`build.sh ended with ${code}: ${String(stdout).slice(-2_000)}${stderr.slice(-2_000)}`)
}
