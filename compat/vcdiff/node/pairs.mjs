// What a peer written in JavaScript does with a file of pairs (see ../README.md).
import { readFileSync, writeFileSync } from 'node:fs'

export function play(decode, encode) {
  const [file, theirs] = process.argv.slice(2)
  const bytes = readFileSync(file)
  const made = []
  let at = 0
  const next = () => {
    const length = bytes.readUInt32BE(at)
    at += 4 + length
    return bytes.subarray(at - length, at)
  }
  let right = 0
  for (let i = 0; at < bytes.length; i++) {
    const [source, target, delta] = [next(), next(), next()]
    try {
      if (Buffer.from(decode(source, delta)).equals(target)) right++
      else console.log(`wrong ${i} other bytes`)
    } catch (problem) {
      console.log(`wrong ${i} ${String(problem.message).trim()}`)
    }
    if (theirs === undefined) continue
    const delta2 = encode(source, target)
    const length = Buffer.alloc(4)
    length.writeUInt32BE(delta2.length)
    made.push(length, delta2)
  }
  if (theirs !== undefined) writeFileSync(theirs, Buffer.concat(made))
  console.log(`right ${right}`)
}
