// What signals mean to a broker: the first one drains, flushes and leaves a clean end, a second one does not wait.

/** npm hands on what the terminal has already told everybody: one Ctrl-C comes twice. */
const burstMs = 500

/** `ask`: a stop is wished for. `insist`: and whoever has wished for it before does not wait any longer. `quit`: at once. */
export function stopper(
  now: () => number,
  stop: () => void,
  quit: () => void,
): { ask: () => void; insist: () => void } {
  let sinceMs: number | undefined
  const ask = () => {
    if (sinceMs !== undefined) return
    sinceMs = now()
    stop()
  }
  const insist = () => {
    if (sinceMs !== undefined && now() - sinceMs >= burstMs) quit()
    ask()
  }
  return { ask, insist }
}
