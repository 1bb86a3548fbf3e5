// Small files that a person can read, with a checksum: one line of JSON whose last member is the CRC-32C of the line without it.
//
//   {"v":1,"count":7,…,"crc":2166136261}\n

import { crc32c } from '../../protocol/crc32c.ts'
import { Corruption } from '../../protocol/errors.ts'

export function encodeChecked(value: object): Buffer {
  const text = JSON.stringify(value)
  return Buffer.from(`${text.slice(0, -1)},"crc":${crc32c(Buffer.from(text))}}\n`)
}

const crcAtEnd = /,"crc":(\d+)}\n$/

/** Throws where it is not what was written. Files from before there were checksums have none. */
export function parseChecked(bytes: Buffer): unknown {
  const text = bytes.toString('latin1')
  const crc = crcAtEnd.exec(text)
  if (crc === null) return JSON.parse(bytes.toString())
  const written = Buffer.from(`${text.slice(0, crc.index)}}`, 'latin1')
  if (crc32c(written) !== Number(crc[1])) throw new Corruption('fails its checksum')
  return JSON.parse(written.toString())
}
