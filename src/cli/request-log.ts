// What clients really use: a line of JSON for each API key and version, when a client asks with it for the first time.

import { appendFileSync } from 'node:fs'

type Software = { readonly softwareName: string; readonly softwareVersion: string }

/**
 * Synchronous, so that a line outlives the process; there are few, for each combination is written once. Throws the error of the
 * system where the file cannot be written; if that comes later no client is to feel it.
 */
export function requestLog(path: string): (apiKey: number, version: number, client: Software) => void {
  const written = new Set<string>()
  let hasFailed = false
  appendFileSync(path, '')
  return (apiKey, version, { softwareName, softwareVersion }) => {
    const line = `${JSON.stringify({ apiKey, version, softwareName, softwareVersion })}\n`
    if (written.has(line) || hasFailed) return
    written.add(line)
    try {
      appendFileSync(path, line)
    } catch (cause) {
      hasFailed = true
      console.error(`The log of requests cannot be written any more: ${(cause as Error).message}`)
    }
  }
}
