// What clients really use: a line of JSON for each API key and version, when a client asks with it for the first time.

import { appendFileSync } from 'node:fs'

type Software = { readonly softwareName: string; readonly softwareVersion: string }

/** Synchronous, so that a line outlives the process; there are few, for each combination is written once. */
export function requestLog(path: string): (apiKey: number, version: number, client: Software) => void {
  const written = new Set<string>()
  return (apiKey, version, { softwareName, softwareVersion }) => {
    const line = `${JSON.stringify({ apiKey, version, softwareName, softwareVersion })}\n`
    if (written.has(line)) return
    written.add(line)
    appendFileSync(path, line)
  }
}
