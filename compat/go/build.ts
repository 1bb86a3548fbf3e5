// Makes a Go hand ready. The go command itself knows what has changed; the network is asked only for modules it has not.
import { fileURLToPath } from 'node:url'
import { run } from '../process.ts'

const folder = fileURLToPath(new URL('.', import.meta.url))
const buildMs = 600_000

/** The command line of the program in this subfolder. */
export async function goHand(name: string): Promise<readonly string[]> {
  const program = `${folder}target/${name}`
  const { code, stderr } = await run('go', ['build', '-o', program, `./${name}`], { cwd: folder, timeoutMs: buildMs })
  if (code !== 0) throw new Error(`go build ended with ${code}: ${stderr}`)
  return [program]
}
