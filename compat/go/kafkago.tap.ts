// kafka-go, played through its hand.
import { playClient } from '../play.ts'
import { goHand } from './build.ts'

await playClient({ name: 'kafka-go', needs: ['go'], prepare: () => goHand('kafkago'), from: import.meta.url })
