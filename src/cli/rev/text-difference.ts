// What differs between two texts, line by line: what both begin and end with is left aside, and between the two the longest
// common run of lines stays.

export type Line = { readonly sign: ' ' | '-' | '+'; readonly text: string }

/** Lines on either side of what is compared one with each other; beyond, all of it counts as replaced. */
const tableMax = 4_000_000
const context = 3

/** Changed lines with some around them; undefined where one of them is no text. */
export function textDifference(from: Buffer, to: Buffer): Line[] | undefined {
  const [before, after] = [linesOf(from), linesOf(to)]
  return before === undefined || after === undefined ? undefined : nearChanges(compare(before, after))
}

function linesOf(bytes: Buffer): string[] | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    return text.split('\n')
  } catch {
    return undefined
  }
}

function compare(before: readonly string[], after: readonly string[]): Line[] {
  let start = 0
  while (start < before.length && start < after.length && before[start] === after[start]) start++
  let [oldEnd, newEnd] = [before.length, after.length]
  while (oldEnd > start && newEnd > start && before[oldEnd - 1] === after[newEnd - 1]) {
    oldEnd--
    newEnd--
  }
  const same = (texts: readonly string[]): Line[] => texts.map((text) => ({ sign: ' ', text }))
  return [
    ...same(before.slice(0, start)),
    ...between(before.slice(start, oldEnd), after.slice(start, newEnd)),
    ...same(before.slice(oldEnd)),
  ]
}

/** By the lengths of the longest common runs of all their ends. */
function between(before: readonly string[], after: readonly string[]): Line[] {
  const width = after.length + 1
  if ((before.length + 1) * width > tableMax) return [...before.map(gone), ...after.map(come)]
  const common = new Uint32Array((before.length + 1) * width)
  for (let i = before.length - 1; i >= 0; i--) {
    for (let j = after.length - 1; j >= 0; j--) {
      const at = i * width + j
      common[at] = before[i] === after[j] ? common[at + width + 1]! + 1 : Math.max(common[at + width]!, common[at + 1]!)
    }
  }
  const lines: Line[] = []
  let [i, j] = [0, 0]
  while (i < before.length && j < after.length) {
    if (before[i] === after[j]) {
      lines.push({ sign: ' ', text: before[i]! })
      i++
      j++
    } else if (common[(i + 1) * width + j]! >= common[i * width + j + 1]!) lines.push(gone(before[i++]!))
    else lines.push(come(after[j++]!))
  }
  return [...lines, ...before.slice(i).map(gone), ...after.slice(j).map(come)]
}

const gone = (text: string): Line => ({ sign: '-', text })
const come = (text: string): Line => ({ sign: '+', text })

function nearChanges(lines: readonly Line[]): Line[] {
  const isNear = new Uint8Array(lines.length)
  for (const [i, { sign }] of lines.entries()) {
    if (sign !== ' ') isNear.fill(1, Math.max(0, i - context), i + context + 1)
  }
  return lines.filter((_, i) => isNear[i] === 1)
}
