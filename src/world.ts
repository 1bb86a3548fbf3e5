// What a broker touches of the outside that is not a disk: time and chance, and the sockets that it listens with. A simulation
// gives another one.

import { createServer } from 'node:net'
import { type Clock, systemClock } from './storage/clock.ts'

export type World = { readonly clock: Clock; readonly createServer: typeof createServer }

export const realWorld: World = { clock: systemClock, createServer }
