// rskafka, played through its hand.
import { playClient } from '../play.ts'
import { rustHand } from './build.ts'

await playClient({ name: 'rskafka', needs: ['cargo'], prepare: () => rustHand('rskafka'), from: import.meta.url })
