// kafka-python, played through its hand.
import { playClient } from '../play.ts'
import { pythonHand } from './venv.ts'

await playClient({
  name: 'kafka-python',
  needs: ['python3'],
  prepare: () => pythonHand('kafka_python'),
  from: import.meta.url,
})
