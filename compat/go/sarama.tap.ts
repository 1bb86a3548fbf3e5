// sarama, played through its hand.
import { playClient } from '../play.ts'
import { goHand } from './build.ts'

await playClient({ name: 'sarama', needs: ['go'], prepare: () => goHand('sarama'), from: import.meta.url })
