// KafkaJS, played through its hand.
import { playClient } from '../play.ts'
import { nodeHand } from './run.ts'

await playClient({ name: 'kafkajs', needs: [], prepare: async () => nodeHand('kafkajs.ts'), from: import.meta.url })
