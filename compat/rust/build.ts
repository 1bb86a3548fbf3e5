// Makes a Rust hand ready. cargo itself knows what has changed; the network is asked only for crates it has not.
import { fileURLToPath } from 'node:url'
import { run } from '../process.ts'

const folder = fileURLToPath(new URL('.', import.meta.url))
const buildMs = 600_000

/** The command line of the program of this name, with the features that it needs (Cargo.toml). */
export async function rustHand(name: string, features: readonly string[] = []): Promise<readonly string[]> {
  const target = `${folder}target`
  const args = ['build', '--quiet', '--locked', '--bin', name, '--target-dir', target]
  if (features.length > 0) args.push('--features', features.join(','))
  const { code, stderr } = await run('cargo', args, { cwd: folder, timeoutMs: buildMs })
  if (code !== 0) throw new Error(`cargo build ended with ${code}: ${stderr}`)
  return [`${target}/debug/${name}`]
}
