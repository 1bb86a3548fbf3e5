// The forms of an answer.

import { print } from '../branch/verbatim-json.ts'
import { type Problem, titles } from './problem.ts'
import type { Reply } from './route.ts'

export const json = (value: unknown, more: Pick<Reply, 'status' | 'headers'> = {}): Reply => ({
  ...more,
  body: `${print(value)}\n`,
})

export const problemReply = ({ status, detail, error, more }: Problem): Reply => ({
  status,
  mediaType: 'application/problem+json',
  body: `${print({ title: titles[status], status, detail, error, ...more })}\n`,
})

/** Text that is made while it is taken: as long as nobody takes it, nothing more is made. `onCancel`: nobody will. */
export function streamOf(pieces: AsyncGenerator<string>, onCancel = () => {}): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  return new ReadableStream(
    {
      async pull(controller) {
        const { done, value } = await pieces.next()
        if (done === true) controller.close()
        else controller.enqueue(encoder.encode(value))
      },
      async cancel() {
        onCancel()
        await pieces.return(undefined)
      },
    },
    { highWaterMark: 0 },
  )
}

/** A turn for others, in the midst of long work. */
export const rest = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
