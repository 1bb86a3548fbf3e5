// A program that sends what it reads from its input, line by line, has no batch of which anybody could say it was under way: so it is
// fed before, while and after the broker is gone.
import { setTimeout as sleep } from 'node:timers/promises'
import { type Running, until } from './process.ts'

const linesPerTurn = 20
const turnsAfter = 50

/** Feeds it numbers from 0 on, to its end, and gives how many. `arrived` is how many are in the log. */
export async function linesAcross(
  { child: { stdin } }: Running,
  arrived: () => Promise<number>,
  restart: () => Promise<void>,
): Promise<number> {
  let sentCount = 0
  let restarted = false
  const feed = async () => {
    for (let after = 0; after < turnsAfter; after += restarted ? 1 : 0) {
      stdin!.write(Array.from({ length: linesPerTurn }, () => `${sentCount++}\n`).join(''))
      await sleep(10)
    }
    stdin!.end()
  }
  const fed = feed()
  await until('records arrive', async () => (await arrived()) > 200)
  await restart()
  restarted = true
  await fed
  return sentCount
}
