// One switch for all codecs and the checksum: TWIGLOG_NO_NATIVE=1 leaves out everything that is not JavaScript, so
// that the fallbacks can be tried where the native packages are installed.

export const nativeAllowed = (): boolean => process.env['TWIGLOG_NO_NATIVE'] !== '1'
