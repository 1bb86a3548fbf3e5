// Clients of Node that bring packages of their own: installed once, as their lock file says.
import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { run } from '../process.ts'

const installMs = 600_000

/** `npm ci` in the subfolder, unless that was done for this very lock file. */
export async function installed(name: string): Promise<void> {
  const folder = fileURLToPath(new URL(`${name}/`, import.meta.url))
  const stampFile = `${folder}node_modules/.stamp`
  const stamp = createHash('sha256')
    .update(await readFile(`${folder}package-lock.json`))
    .digest('hex')
  if ((await readFile(stampFile, 'utf8').catch(() => '')) === stamp) return
  const { code, stdout, stderr } = await run('npm', ['ci', '--no-audit', '--no-fund'], {
    cwd: folder,
    timeoutMs: installMs,
  })
  if (code !== 0) throw new Error(`npm ci in ${name} ended with ${code}: ${stdout}${stderr}`)
  await writeFile(stampFile, stamp) // last, so that a broken download is tried again
}
