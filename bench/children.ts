// Nothing we start outlives us: brokers and clients are killed when the script ends, however it ends.
import type { ChildProcess } from 'node:child_process'

const alive = new Set<ChildProcess>()

// Before the listener that removes the data folders, or a broker could write into them again.
process.prependOnceListener('exit', () => {
  for (const child of alive) child.kill('SIGKILL')
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

/** Resolves when the child is gone, also when it never came to be. */
export async function adopt(child: ChildProcess): Promise<void> {
  alive.add(child)
  await new Promise<void>((resolve) => {
    child.once('close', () => resolve()).once('error', () => resolve())
  })
  alive.delete(child)
}
