// Tables for people: columns as wide as what stands in them, numbers to the right.

export type Column = { readonly title: string; readonly right?: boolean }

export function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  // Rows may be too many to be the arguments of a call.
  const widths = columns.map(({ title }, i) =>
    rows.reduce((width, row) => Math.max(width, row[i]!.length), title.length),
  )
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => (columns[i]!.right ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join('  ')
      .trimEnd()
  return [line(columns.map(({ title }) => title)), ...rows.map(line)].join('\n')
}

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']

export function bytesInWords(count: number): string {
  let value = count
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  return unit === 0 ? `${count} B` : `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`
}

/** As far as a person wants to know. Producers say what they like: what is beyond all calendars is told as its number. */
export function timeInWords(ms: number): string {
  const time = new Date(ms)
  return ms < 0 || Number.isNaN(time.getTime())
    ? String(ms)
    : time
        .toISOString()
        .replace('T', ' ')
        .replace(/\.\d+Z$/, '')
}

/** A key or a value on one line of a terminal; bytes that are no text as base64. */
export function shown(bytes: Buffer | null, lengthMax = 60): string {
  if (bytes === null) return 'null'
  const text = bytes.toString()
  const isText = Buffer.from(text).equals(bytes)
  const line = isText ? text.replace(/\p{Cc}/gu, '·') : `base64:${bytes.toString('base64')}`
  return line.length > lengthMax ? `${line.slice(0, lengthMax - 1)}…` : line
}
