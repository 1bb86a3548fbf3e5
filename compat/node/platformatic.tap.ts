// @platformatic/kafka, played through its hand.
import { playClient } from '../play.ts'
import { installed } from './install.ts'
import { nodeHand } from './run.ts'

await playClient({
  name: 'platformatic',
  needs: ['npm'],
  prepare: async () => {
    await installed('platformatic')
    return nodeHand('platformatic/hand.ts')
  },
  from: import.meta.url,
})
