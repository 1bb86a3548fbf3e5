// confluent-kafka, played through its hand: librdkafka at its newest.
import { playClient } from '../play.ts'
import { pythonHand } from './venv.ts'

await playClient({
  name: 'confluent-kafka',
  needs: ['python3'],
  prepare: () => pythonHand('confluent'),
  from: import.meta.url,
})
