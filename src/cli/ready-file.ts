// `--ready-file`: one line of JSON that is there once connections are accepted, and not before.

import { renameSync, rmSync, writeFileSync } from 'node:fs'

const aside = (path: string): string => `${path}.tmp`

/**
 * The one of an earlier broker goes, or whoever waits for the file would take its address for ours. Throws the error of the
 * system where it cannot be written: better now than when everything is under way.
 */
export function clearReadyFile(path: string): void {
  writeFileSync(aside(path), '')
  for (const left of [aside(path), path]) rmSync(left, { force: true })
}

/** Whoever waits for the file finds it whole. */
export function writeReadyFile(path: string, line: string): void {
  writeFileSync(aside(path), line)
  renameSync(aside(path), path)
}
