// The terminal of this process: what is said there, and what is asked.

import { createInterface } from 'node:readline/promises'
import { wantsColour } from './card.ts'

export const terminal = {
  colour: wantsColour(process.env, process.stdout.isTTY === true),
  isTerminal: process.stdout.isTTY === true && process.stdin.isTTY === true,
  out: (line: string) => console.log(line),
  err: (line: string) => console.error(`twiglog: ${line}`),
  async confirm(question: string): Promise<boolean> {
    const asked = createInterface({ input: process.stdin, output: process.stdout })
    try {
      return /^y(es)?$/i.test((await asked.question(`${question} [y/N] `)).trim())
    } finally {
      asked.close()
    }
  },
}
