// A command that speaks to a broker: connected, carried out, and told in words and an exit code what stood against it.

import { KafkaClient, parseBootstrap, Refused } from './kafka-client.ts'
import { Unfit, Unreachable } from './node-connection.ts'

/** Where words go and come from: given in, so that tests need no process. */
export type Terminal = {
  readonly isTerminal: boolean
  readonly colour?: boolean
  out(line: string): void
  err(line: string): void
  /** Whether somebody at the terminal says yes. */
  confirm(question: string): Promise<boolean>
}

export const exitCodes = { done: 0, refused: 1, usage: 2, conflicts: 4, unreachable: 5 } as const

/** What was asked for is not there: words for whoever asked. */
export class Missing extends Error {}

/** Throws Missing where the broker is one of another kind: what it says of what it does not know would help nobody. */
export async function expectTwiglog(client: KafkaClient): Promise<void> {
  if (await client.isTwiglog()) return
  throw new Missing('This broker knows neither branches nor revisions: it is not twiglog.')
}

/** Answers the exit code. */
export async function withClient(
  bootstrap: string,
  terminal: Terminal,
  work: (client: KafkaClient) => Promise<number>,
): Promise<number> {
  const addresses = parseBootstrap(bootstrap)
  if (addresses === undefined) {
    terminal.err(`--bootstrap ${bootstrap}: host:port is expected, or several with commas between them.`)
    return exitCodes.usage
  }
  const client = new KafkaClient(addresses)
  try {
    return await work(client)
  } catch (cause) {
    if (cause instanceof Unreachable) {
      terminal.err(`${cause.message} Is it running? Another place is named with --bootstrap HOST:PORT.`)
      return exitCodes.unreachable
    }
    if (cause instanceof Missing || cause instanceof Unfit) terminal.err(cause.message)
    else if (cause instanceof Refused) terminal.err(`${cause.error}: ${cause.message}`)
    else throw cause
    return exitCodes.refused
  } finally {
    await client.close()
  }
}
