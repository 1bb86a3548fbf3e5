// Clients of Node that bring packages of their own: installed once, as their lock file says.
import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { run } from '../process.ts'

const installMs = 600_000

interface Installing {
  /** The packages' own scripts are not run. */
  readonly withoutScripts?: boolean
  /** What is to be done in the folder besides. */
  readonly afterwards?: (folder: string) => Promise<void>
}

/** `npm ci` in the subfolder, unless that was done for this very lock file. */
export async function installed(name: string, { withoutScripts = false, afterwards }: Installing = {}): Promise<void> {
  const folder = fileURLToPath(new URL(`${name}/`, import.meta.url))
  const stampFile = `${folder}node_modules/.stamp`
  const stamp = createHash('sha256')
    .update(await readFile(`${folder}package-lock.json`))
    .digest('hex')
  if ((await readFile(stampFile, 'utf8').catch(() => '')) === stamp) return
  const { code, stdout, stderr } = await run(
    'npm',
    ['ci', '--no-audit', '--no-fund', `--ignore-scripts=${withoutScripts}`],
    {
      cwd: folder,
      timeoutMs: installMs,
    },
  )
  if (code !== 0) throw new Error(`npm ci in ${name} ended with ${code}: ${stdout}${stderr}`)
  await afterwards?.(folder)
  await writeFile(stampFile, stamp) // last, so that a broken download is tried again
}
