// What went over the wire between clients and a broker, in the order in which it happened: one JSON line per event.

import { readFileSync } from 'node:fs'

/** `connection` counts from 1. `ask` and `answer` are frames without their length. */
export type Event =
  | { kind: 'open'; connection: number }
  | { kind: 'close'; connection: number }
  | { kind: 'ask'; connection: number; frame: Buffer }
  | { kind: 'answer'; connection: number; frame: Buffer }

export function writeEvent(event: Event): string {
  const { kind, connection } = event
  return `${JSON.stringify('frame' in event ? { kind, connection, frame: event.frame.toString('base64') } : event)}\n`
}

export function readTape(path: string): Event[] {
  const lines = readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
  return lines.map((line) => {
    const { kind, connection, frame } = JSON.parse(line) as { kind: Event['kind']; connection: number; frame?: string }
    if (kind === 'ask' || kind === 'answer') return { kind, connection, frame: Buffer.from(frame ?? '', 'base64') }
    return { kind, connection }
  })
}

/** Cuts a stream into frames: gives back those that are whole, and what is left of the bytes. */
export function cut(bytes: Buffer): { frames: Buffer[]; rest: Buffer } {
  const frames: Buffer[] = []
  let rest = bytes
  while (rest.length >= 4) {
    const end = 4 + rest.readInt32BE(0)
    if (rest.length < end) break
    frames.push(rest.subarray(4, end))
    rest = rest.subarray(end)
  }
  return { frames, rest }
}
