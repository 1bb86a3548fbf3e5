// Numbers as Java reads and prints them: the text of a configuration travels between clients and brokers written for it.

/** Longs beyond 2^53 stay exact as bigint; undefined where Java would not parse. */
export function parseInteger(text: string, min: bigint, max: bigint): number | bigint | undefined {
  if (!/^[+-]?\d+$/.test(text)) return undefined
  const value = BigInt(text.replace(/^\+/, ''))
  if (value < min || value > max) return undefined
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

export function parseDouble(text: string): number | undefined {
  if (!/^[+-]?(NaN|Infinity|(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?[fFdD]?)$/.test(text)) return undefined
  return Number(text.replace(/(?<=[\d.])[fd]$/i, ''))
}

/** 2 is `2.0`; from 10^7 up and below 10^-3 Java writes `1.0E7`. */
export function formatDouble(value: number): string {
  const size = Math.abs(value)
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0'
  if (!Number.isFinite(value)) return String(value)
  if (size >= 1e-3 && size < 1e7) return Number.isInteger(value) ? `${value}.0` : String(value)
  const [mantissa = '', exponent = ''] = value.toExponential().split('e')
  return `${mantissa.includes('.') ? mantissa : `${mantissa}.0`}E${exponent.replace('+', '')}`
}
