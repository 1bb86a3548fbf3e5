// franz-go, played through its hand.
import { playClient } from '../play.ts'
import { goHand } from './build.ts'

await playClient({ name: 'franz-go', needs: ['go'], prepare: () => goHand('franz'), from: import.meta.url })
