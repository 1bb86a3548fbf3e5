// The terminal of this process: what is said there, and what is asked.

import { createInterface } from 'node:readline/promises'
import { wantsColour } from './card.ts'

/** Whether somebody says yes. Ctrl-C and Ctrl-D are a no: a question that nobody can answer any more would stay open. */
export async function confirm(
  question: string,
  input: NodeJS.ReadableStream,
  output: NodeJS.WritableStream,
): Promise<boolean> {
  const asked = createInterface({ input, output })
  try {
    const gone = new Promise<undefined>((resolve) => asked.once('close', () => resolve(undefined)))
    const said = await Promise.race([asked.question(`${question} [y/N] `).catch(() => undefined), gone])
    if (said === undefined) output.write('\n')
    return /^\s*y(es)?\s*$/i.test(said ?? '')
  } finally {
    asked.close()
  }
}

export const terminal = {
  colour: wantsColour(process.env, process.stdout.isTTY === true),
  isTerminal: process.stdout.isTTY === true && process.stdin.isTTY === true,
  out: (line: string) => console.log(line),
  err: (line: string) => console.error(`twiglog: ${line}`),
  confirm: (question: string) => confirm(question, process.stdin, process.stdout),
}
