// Base64 as people and programs write it: either alphabet (RFC 4648 §4, §5), padded or not. Node takes whatever it is given, and makes
// fewer bytes, or none, of what is none: of a key that would be another key.

/** The bytes; undefined where the text is none. */
export function fromBase64(text: string): Buffer | undefined {
  const isBase64 = /^[A-Za-z0-9+/_-]*={0,2}$/.test(text)
  // One letter alone is six bits, which are no byte.
  return isBase64 && text.replaceAll('=', '').length % 4 !== 1 ? Buffer.from(text, 'base64') : undefined
}
