// The peer that is @ably/vcdiff-decoder, from npm.
import { decode } from '@ably/vcdiff-decoder'
import { play } from './pairs.mjs'

play((source, delta) => decode(delta, source))
