// Makes a Python hand ready: one environment per client, so that none is held back by another's wishes.
import { createHash } from 'node:crypto'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { run } from '../process.ts'

const folder = fileURLToPath(new URL('.', import.meta.url))
const installMs = 600_000

/** The command line of the module, with what `<module>/requirements.txt` pins. */
export async function pythonHand(module: string): Promise<readonly string[]> {
  const wanted = `${folder}${module}/requirements.txt`
  const venv = `${folder}target/${module}`
  const stamp = createHash('sha256')
    .update(await readFile(wanted))
    .digest('hex')
  if ((await readFile(`${venv}/stamp`, 'utf8').catch(() => '')) !== stamp) {
    await rm(venv, { recursive: true, force: true })
    await must('python3', ['-m', 'venv', venv])
    await must(`${venv}/bin/pip`, ['install', '--quiet', '--only-binary', ':all:', '--no-deps', '-r', wanted])
    await writeFile(`${venv}/stamp`, stamp) // last, so that a broken download is tried again
  }
  return [`${venv}/bin/python`, '-B', '-m', module]
}

async function must(program: string, args: readonly string[]): Promise<void> {
  const { code, stdout, stderr } = await run(program, args, { cwd: folder, timeoutMs: installMs })
  if (code !== 0) throw new Error(`${program} ended with ${code}: ${stdout}${stderr}`)
}
