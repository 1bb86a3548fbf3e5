// Why a broker does not start, in words that say what to change, and the exit code for whoever started it.

import { Corruption, StorageError } from '../../protocol/errors.ts'

const failed = 1
const unreachable = 5

/** As Node tells of sockets and names. */
type SystemError = NodeJS.ErrnoException & { address?: string; port?: number; hostname?: string }

const elsewhere = (flag: string): string => `choose another ${flag === '--http-port' ? 'http.host' : '--host'}`

/** Undefined for what is no trouble with an address. `flag`: which option says another port. */
function addressInWords({ code, address, port, hostname }: SystemError, flag: string): string | undefined {
  switch (code) {
    case 'EADDRINUSE':
      return `${address}:${port} is in use by another program. Stop it, or choose another port: ${flag} N (0 is any free one).`
    case 'EACCES':
      return port === undefined
        ? undefined
        : `Port ${port} is not allowed for this user; choose one above 1023 with ${flag} N.`
    case 'EADDRNOTAVAIL':
      return `${address} is no address of this machine: ${elsewhere(flag)} (0.0.0.0 is all it has).`
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `Nobody knows a machine '${hostname}': ${elsewhere(flag)}.`
    default:
      return undefined
  }
}

/** `httpPort`: where HTTP was to be. What is a mistake of our own is told with its place in the code. */
export function explain(cause: unknown, httpPort?: number): { message: string; code: number } {
  const system = cause as SystemError
  const about = system.port !== undefined && system.port === httpPort ? '--http-port' : '--port'
  const words = addressInWords(system, about)
  if (words !== undefined) return { message: words, code: unreachable }
  if (cause instanceof StorageError) return { message: cause.message, code: failed }
  if (cause instanceof Corruption)
    return { message: `${cause.message}. twiglog check FOLDER says what else is damaged.`, code: failed }
  return { message: cause instanceof Error ? (cause.stack ?? cause.message) : String(cause), code: failed }
}

/** Why there is no HTTP interface, though nobody has said that there should be none. */
export const withoutHttp = (refused: Error | undefined): string | undefined =>
  refused && (addressInWords(refused, '--http-port') ?? refused.message)
