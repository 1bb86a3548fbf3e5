// The three ways in which a codec fails, apart so that the caller can name them to the client.

/** The bytes are not what the codec says. */
export class CompressionError extends Error {}

/** The bytes would unpack to more than the caller allows: stopped before they did. */
export class DecompressionLimit extends CompressionError {
  constructor(bytesMax: number) {
    super(`the batch unpacks to more than ${bytesMax} bytes`)
  }
}

/** No such codec, or none of the packages that know it could be loaded. */
export class UnsupportedCompression extends Error {}
