// Segments → pack: in slices, so that it runs beside the broker as well as in a worker.

import type { Packed, PackOptions, PackSink, PackSource } from './pack-job.ts'

/** Yields between slices of about 5 ms; the sink has everything when it returns. */
// biome-ignore lint/correctness/useYield: being built.
export function* buildPack(_source: PackSource, _sink: PackSink, _options: PackOptions): Generator<void, Packed, void> {
  throw new Error('packs are not built yet')
}
