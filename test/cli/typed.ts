// A line as it is typed at a terminal: what came out, and the exit code.

import type { Terminal } from '../../src/cli/client/session.ts'
import { runRev } from '../../src/cli/rev/run.ts'
import { type Order, readOrder } from '../../src/options.ts'

export type Said = { code: number; out: string; err: string; json: () => Record<string, unknown>[] }

const said = (code: number, out: string, err: string): Said => ({
  code,
  out,
  err,
  json: () => out.split('\n').map((line) => JSON.parse(line) as Record<string, unknown>),
})

/** `answers`: what somebody says when asked; nobody is there without. */
export async function typed(
  words: readonly string[],
  run: (order: Order, terminal: Terminal) => Promise<number>,
  answers?: boolean,
): Promise<Said> {
  const order = await readOrder([...words], { environment: {}, currentFolder: '.', version: '0' })
  if (order.kind === 'exit') return said(order.code, order.stdout, order.stderr)
  const out: string[] = []
  const err: string[] = []
  const code = await run(order, {
    isTerminal: answers !== undefined,
    out: (text) => out.push(text),
    err: (text) => err.push(text),
    confirm: async () => answers === true,
  })
  return said(code, out.join('\n'), err.join('\n'))
}

/** `twiglog rev LINE`, with a broker or without. */
export function typedRev(bootstrapServers: string | undefined, line: string, answers?: boolean): Promise<Said> {
  const bootstrap = bootstrapServers === undefined ? [] : ['--bootstrap', bootstrapServers]
  const run = (order: Order, terminal: Terminal) => {
    if (order.kind !== 'rev') throw new Error(`${line} means ${order.kind}`)
    return runRev(order.order, terminal)
  }
  return typed(['rev', ...line.split(' '), ...bootstrap], run, answers)
}
