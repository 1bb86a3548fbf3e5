// Which pieces of a target can be copied, and from where: the thinking half of the encoder. `encode-delta` writes down what is found here.
//
// Both values lie in one array, source first, which is the RFC's U: an address is an index, and one loop compares anything with anything.
// What both begin and end with is found by comparing. Of the rest of the source every window (of larger ones every fourth, say)
// goes into a hash table, and the target looks its windows up: first where the copy before would go on if bytes were only replaced,
// then in the table. What is found grows both ways, and may swallow copies made before it: where the same words come again and
// again (rows, elements of a list) the first place found is often the wrong one, and the longer copy that comes next says so.
//
// Work is bounded by the length, whatever the bytes: a step forward is paid once, a step back comes out of a budget that steps forward fill.
// Of long values it is done in slices: others wait meanwhile. What a slice leaves to the next stands in fields.

import type { Walk } from '../log/walk.ts'

/** Up to here windows are of 4 bytes and every one of the source is known; above, they are of 8. */
const smallMax = 16 * 1024
/** Shorter copies cost more than the bytes: code and address, and the ADD that they cut in two. */
const copyMinSmall = 5
const copyMinLarge = 7
/** One that goes on where the last one ended has a short address. */
const straightMin = 4
/** A shorter copy is too often one of the wrong place to say where it goes on. */
const straightFrom = 16
/** From here on what repeats is copied: shorter pieces cost what they save. */
const repeatMin = 8
/** What is read at once, in both cases. */
const readBytes = 8
/** How many windows may miss before one is left out at each step, then two, …: what is new is passed in longer strides. */
const missesPerStride = 64
const strideMax = 24
/** How far around the replaced part the source is searched too, where little replaces it. */
const reachPerByte = 8
const reachMin = 8 * 1024
const stepsBackPerByte = 4
const tableMin = 1 << 8
const tableMax = 1 << 19
/** The table holds positions counted on from call to call, so that it need not be cleared before each. */
const positionMax = 0x3fff_ffff
/** In one slice. */
const everything = positionMax
/** Arrays of more bytes are not kept for the next call. */
const keptMax = 8 * 1024 * 1024

export class CopyFinder {
  /** U: source, then target. */
  bytes = new Uint8Array(0)
  /** What to copy, in the order of the target: where to and where from (in U), how much. None reads what it makes, or from both values. */
  starts = new Int32Array(64)
  addresses = new Int32Array(64)
  lengths = new Int32Array(64)
  count = 0
  /** Bytes of the target that are in a copy. */
  copied = 0

  #view = new DataView(this.bytes.buffer)
  #table = new Int32Array(tableMin)
  #base = 1
  /** Where the target begins: what lies before is source. */
  #here = 0
  /** The next place of the target to be looked at, the last one, and the end. */
  #at = 0
  #last = 0
  #to = 0
  #literalsMax = 0
  /** Where the last copy ends, and how far from the target it was taken. */
  #copiedTo = 0
  #diagonal = 0
  #misses = 0
  #stepsBack = 0
  /** The next window of the source that is entered into the table, the last one, and how far apart they are. */
  #window = 0
  #lastWindow = 0
  #step = 1
  /** How a window becomes a slot of the table, and how long copies are. */
  #shift = 0
  #mask = 0
  #copyMin = copyMinSmall

  /** Finds copies. False when it gave up, or has nothing to offer, as more than `literalsMax` bytes of the target would be in none. */
  find(source: Uint8Array, target: Uint8Array, literalsMax: number): boolean {
    if (!this.#open(source, target)) return false
    const here = source.length
    const end = here + target.length
    this.bytes.set(source)
    this.bytes.set(target, here)
    const most = Math.min(here, target.length)
    const prefix = this.#beginWith(sameAhead(this.#view, this.bytes, 0, here, here + most), target.length)
    const suffix = worthCopying(sameBehind(this.#view, this.bytes, here, end, most - prefix))
    if (this.#begin(here + prefix, end - suffix, here - suffix, literalsMax)) {
      this.#enter(everything)
      this.#scan(everything)
    }
    return this.#endWith(suffix, target.length, literalsMax)
  }

  /** The same, which stops whenever it has looked at about so many bytes. */
  *findInSlices(source: Uint8Array, target: Uint8Array, literalsMax: number, sliceBytes: number): Walk<boolean> {
    if (!this.#open(source, target)) return false
    const here = source.length
    const end = here + target.length
    const { bytes } = this
    const view = this.#view
    yield* take(bytes, source, 0, sliceBytes)
    yield* take(bytes, target, here, sliceBytes)
    const most = Math.min(here, target.length)
    const ahead = (done: number, some: number) => sameAhead(view, bytes, done, here + done, here + done + some)
    const prefix = this.#beginWith(yield* alike(most, sliceBytes, ahead), target.length)
    const behind = (done: number, some: number) => sameBehind(view, bytes, here - done, end - done, some)
    const suffix = worthCopying(yield* alike(most - prefix, sliceBytes, behind))
    if (this.#begin(here + prefix, end - suffix, here - suffix, literalsMax)) {
      while (this.#enter(sliceBytes)) yield
      while (this.#scan(sliceBytes)) yield
    }
    return this.#endWith(suffix, target.length, literalsMax)
  }

  /** Makes room for both; false where they are too long. */
  #open(source: Uint8Array, target: Uint8Array): boolean {
    const needed = source.length + target.length
    if (needed > positionMax) return false
    if (needed > this.bytes.length) this.#allocate(needed + (needed >> 2) + 1024)
    this.#here = source.length
    this.count = 0
    this.copied = 0
    if (this.#base + needed <= positionMax * 2) return true
    this.#table.fill(0)
    this.#base = 1
    return true
  }

  /** What both begin with is copied, if it is worth that: so many bytes. */
  #beginWith(common: number, targetLength: number): number {
    if (common < straightMin && common < targetLength) return 0
    if (common > 0) this.#push(this.#here, 0, common)
    return common
  }

  /** And what both end with. */
  #endWith(suffix: number, targetLength: number, literalsMax: number): boolean {
    const end = this.#here + targetLength
    if (suffix > 0) this.#push(end - suffix, this.#here - suffix, suffix)
    this.#base += end
    return targetLength - this.copied <= literalsMax
  }

  /** Gives up copies of less than `bytesMin` that do not go on where the one before ended: what deflates after this has them for less. */
  drop(bytesMin: number): void {
    let kept = 0
    let end = this.#here
    let next = 0
    for (let i = 0; i < this.count; i++) {
      const start = this.starts[i]!
      const address = this.addresses[i]!
      const length = this.lengths[i]!
      if (length < bytesMin && address - next !== start - end) {
        this.copied -= length
        continue
      }
      this.starts[kept] = start
      this.addresses[kept] = address
      this.lengths[kept] = length
      kept++
      end = start + length
      next = address + length
    }
    this.count = kept
  }

  /** Lets go of what only a large value needed. */
  release(): void {
    if (this.bytes.length > keptMax) this.#allocate(0)
    if (this.starts.length * 4 > keptMax) this.#resize(64)
  }

  #allocate(length: number): void {
    this.bytes = new Uint8Array(length)
    this.#view = new DataView(this.bytes.buffer)
  }

  #resize(capacity: number): void {
    const resized = (from: Int32Array) => {
      const to = new Int32Array(capacity)
      to.set(from.subarray(0, Math.min(this.count, capacity)))
      return to
    }
    this.starts = resized(this.starts)
    this.addresses = resized(this.addresses)
    this.lengths = resized(this.lengths)
  }

  #push(start: number, address: number, length: number): void {
    const last = this.count - 1
    const isOfSource = address < this.#here
    if (
      isOfSource &&
      last >= 0 &&
      this.#endOf(last) === start &&
      this.addresses[last]! + this.lengths[last]! === address
    ) {
      // One copy is cheaper than two.
      this.lengths[last]! += length
      this.copied += length
    } else if (isOfSource || address + length <= start) this.#add(start, address, length)
    else this.#repeat(start, address, length)
  }

  /**
   * A copy that would read what it writes itself is made in pieces, each as long as all that is there: the RFC allows the one
   * (§3), but the decoder from crates.io does not understand it. The first few bytes are not worth a copy.
   */
  #repeat(start: number, address: number, length: number): void {
    const period = start - address
    const end = start + length
    let at = start
    while (at - address < repeatMin) at += period
    while (at < end) {
      const some = Math.min(at - address, end - at)
      if (some >= straightMin) this.#add(at, address, some)
      at += some
    }
  }

  #add(start: number, address: number, length: number): void {
    if (this.count === this.starts.length) this.#resize(this.count * 2)
    this.starts[this.count] = start
    this.addresses[this.count] = address
    this.lengths[this.count] = length
    this.count++
    this.copied += length
  }

  #endOf(copy: number): number {
    return copy < 0 ? this.#here : this.starts[copy]! + this.lengths[copy]!
  }

  /** What lies between `from` and `to` is to be looked for in the source up to `sourceTo`; false where that is too little. */
  #begin(from: number, to: number, sourceTo: number, literalsMax: number): boolean {
    if (to - from < readBytes) return false
    this.#at = from
    this.#to = to
    this.#literalsMax = literalsMax
    this.#last = Math.min(to - readBytes, from + literalsMax)
    this.#copiedTo = from
    this.#diagonal = -this.#here
    this.#misses = 0
    this.#stepsBack = 0
    const isSmall = this.#here <= smallMax && to - from <= smallMax
    const reach = Math.max(reachMin, (to - from) * reachPerByte)
    this.#window = Math.max(0, from - this.#here - reach)
    this.#lastWindow = Math.min(this.#here, sourceTo + reach) - readBytes
    const windows = Math.max(0, this.#lastWindow - this.#window)
    this.#step = isSmall ? 1 : windows <= 256 * 1024 ? 1 : windows <= 4 * 1024 * 1024 ? 4 : 16
    const wanted = Math.min(tableMax, Math.max(tableMin, windows / this.#step + (to - from) / 4))
    const bits = 32 - Math.clz32(wanted)
    if (this.#table.length < 1 << bits) this.#table = new Int32Array(1 << bits)
    this.#shift = 32 - bits
    this.#mask = isSmall ? 0 : -1
    this.#copyMin = isSmall ? copyMinSmall : copyMinLarge
    return true
  }

  /** Puts so many windows of the source into the table: of all, or of so many that none goes unseen which matters. Whether there are more. */
  #enter(count: number): boolean {
    const view = this.#view
    const table = this.#table
    const base = this.#base
    const mask = this.#mask
    const shift = this.#shift
    const step = this.#step
    const last = Math.min(this.#lastWindow, this.#window + step * count)
    let at = this.#window
    for (; at <= last; at += step) {
      table[slotOf(view.getInt32(at, true), view.getInt32(at + 4, true) & mask, shift)] = at + base
    }
    this.#window = at
    return at <= this.#lastWindow
  }

  /** Looks for about so many bytes of the target in the source, and in the target so far. Whether there are more. */
  #scan(byteCount: number): boolean {
    const here = this.#here
    const to = this.#to
    const literalsMax = this.#literalsMax
    const mask = this.#mask
    const copyMin = this.#copyMin
    const shift = this.#shift
    const view = this.#view
    const bytes = this.bytes
    const table = this.#table
    const base = this.#base
    let misses = this.#misses
    let stepsBack = this.#stepsBack
    let copiedTo = this.#copiedTo
    let diagonal = this.#diagonal
    let at = this.#at
    let last = this.#last
    const until = at + byteCount
    while (at <= last && at < until) {
      const word = view.getInt32(at, true)
      let length = 0
      let address = at + diagonal
      if (address >= 0 && address + 4 <= here && view.getInt32(address, true) === word) {
        length = sameAhead(view, bytes, address, at, Math.min(to, at + here - address))
      }
      const slot = slotOf(word, view.getInt32(at + 4, true) & mask, shift)
      const known = table[slot]! - base
      table[slot] = at + base
      if (known >= 0 && view.getInt32(known, true) === word) {
        const found = sameAhead(view, bytes, known, at, known < here ? Math.min(to, at + here - known) : to)
        // A copy that goes on straight has the shorter address.
        if (found > length + 1) {
          length = found
          address = known
        }
      }
      if (length < straightMin) {
        at += 1 + Math.min(strideMax, (misses++ / missesPerStride) | 0)
        continue
      }
      const lowest = address < here ? 0 : here
      let back = 0
      while (at - back > copiedTo && address - back > lowest && bytes[at - back - 1] === bytes[address - back - 1])
        back++
      if (length + back < copyMin && address !== at + diagonal) {
        at++
        continue
      }
      if (at - back === copiedTo) {
        stepsBack += length * stepsBackPerByte
        const backMax = Math.min(back + stepsBack, at - here, address - lowest)
        let swallowed = back
        while (swallowed < backMax && bytes[at - swallowed - 1] === bytes[address - swallowed - 1]) swallowed++
        stepsBack -= swallowed - back
        back = this.#swallow(at, at - swallowed)
      }
      this.#push(at - back, address - back, length + back)
      at += length
      copiedTo = at
      if (length + back >= straightFrom) diagonal = address + length - at
      misses = 0
      last = Math.min(to - readBytes, copiedTo + literalsMax - (copiedTo - here - this.copied))
    }
    this.#misses = misses
    this.#stepsBack = stepsBack
    this.#copiedTo = copiedTo
    this.#diagonal = diagonal
    this.#at = at
    this.#last = last
    return at <= last
  }

  /** Takes back the copies that lie in [start, at): how far a copy may now begin before `at`. One that would only be shortened stays. */
  #swallow(at: number, start: number): number {
    let last = this.count - 1
    while (last >= 0 && this.starts[last]! >= start) {
      this.copied -= this.lengths[last]!
      last--
    }
    this.count = last + 1
    return at - Math.max(start, this.#endOf(last))
  }
}

/** A shorter one is not. */
const worthCopying = (byteCount: number): number => (byteCount < straightMin ? 0 : byteCount)

/** Copies a value to its place. */
function* take(into: Uint8Array, value: Uint8Array, place: number, sliceBytes: number): Walk {
  for (let done = 0; ; ) {
    const some = value.subarray(done, done + sliceBytes)
    into.set(some, place + done)
    done += some.length
    if (done === value.length) return
    yield
  }
}

/** How many bytes are the same, of at most `most`: `same` compares some behind those that are done. */
function* alike(most: number, sliceBytes: number, same: (done: number, some: number) => number): Walk<number> {
  for (let done = 0; ; ) {
    const some = Math.min(sliceBytes, most - done)
    const found = same(done, some)
    done += found
    if (found < some || done === most) return done
    yield
  }
}

function slotOf(word: number, next: number, shift: number): number {
  const mixed = Math.imul(word, 0x9e3779b1) ^ Math.imul(next, 0x85ebca77)
  return Math.imul(mixed ^ (mixed >>> 15), 0xc2b2ae3d) >>> shift
}

/** How many bytes from `a` on are those from `b` on, which ends at `end`. */
function sameAhead(view: DataView, bytes: Uint8Array, a: number, b: number, end: number): number {
  const ahead = a - b
  let at = b
  while (at + 4 <= end && view.getInt32(at, true) === view.getInt32(at + ahead, true)) at += 4
  while (at < end && bytes[at] === bytes[at + ahead]) at++
  return at - b
}

/** How many bytes before `a` are those before `b`, of at most `most`. */
function sameBehind(view: DataView, bytes: Uint8Array, a: number, b: number, most: number): number {
  const behind = a - b
  const end = b - most
  let at = b
  while (at - 4 >= end && view.getInt32(at - 4, true) === view.getInt32(at - 4 + behind, true)) at -= 4
  while (at > end && bytes[at - 1] === bytes[at - 1 + behind]) at--
  return b - at
}
