// How a log opens what is packed.

import type { OpenPacked } from '../log/packed.ts'
import { Pack } from './pack.ts'

export const openPack: OpenPacked = (file) => Pack.open(file)
