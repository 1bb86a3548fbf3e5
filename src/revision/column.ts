// Numbers by their places, in pieces: a million of them grow without a moment in which all are copied.

const pieceBits = 14
const pieceLength = 1 << pieceBits
/** The first piece begins small: most columns are short. */
const lengthMin = 32
const placeMask = pieceLength - 1

type Numbers = Uint32Array | Int32Array | Float64Array

export class Column<T extends Numbers = Numbers> {
  readonly #make: (length: number) => T
  readonly #pieces: T[] = []

  constructor(make: (length: number) => T) {
    this.#make = make
  }

  get byteCount(): number {
    return this.#pieces.reduce((sum, { byteLength }) => sum + byteLength, 0)
  }

  at(place: number): number {
    return this.#pieces[place >> pieceBits]![place & placeMask]!
  }

  /** At most one place behind the last. */
  set(place: number, value: number): void {
    const index = place >> pieceBits
    const piece = this.#pieces[index]
    const at = place & placeMask
    if (piece === undefined || at >= piece.length) this.#grow(index)
    this.#pieces[index]![at] = value
  }

  #grow(index: number): void {
    const before = this.#pieces[index]
    const length = before === undefined && index > 0 ? pieceLength : 2 * (before?.length ?? lengthMin / 2)
    const piece = this.#make(length)
    if (before !== undefined) piece.set(before)
    this.#pieces[index] = piece
  }
}

export const int32s = (): Column<Int32Array> => new Column((length) => new Int32Array(length))
export const uint32s = (): Column<Uint32Array> => new Column((length) => new Uint32Array(length))
export const float64s = (): Column<Float64Array> => new Column((length) => new Float64Array(length))
