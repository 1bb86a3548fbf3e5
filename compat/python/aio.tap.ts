// aiokafka, played through its hand.
import { playClient } from '../play.ts'
import { pythonHand } from './venv.ts'

await playClient({ name: 'aiokafka', needs: ['python3'], prepare: () => pythonHand('aio'), from: import.meta.url })
