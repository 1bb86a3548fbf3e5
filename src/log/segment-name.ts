// How the files of a log are called.

/** Name of a segment file: the base offset in 20 digits, so that names sort as offsets do. */
export const segmentName = (baseOffset: number, suffix: string): string =>
  `${String(baseOffset).padStart(20, '0')}.${suffix}`
