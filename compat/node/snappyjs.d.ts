// The root's build knows no package of types that only compat installs.
declare module 'snappyjs' {
  const snappy: {
    compress(plain: Uint8Array): Uint8Array
    uncompress(packed: Uint8Array, bytesMax?: number): Uint8Array
  }
  export default snappy
}
