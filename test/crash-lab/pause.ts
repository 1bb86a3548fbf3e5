// Waits by the timers of whoever runs the lab: a simulation has its own (test/simulation/loop.ts).

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
