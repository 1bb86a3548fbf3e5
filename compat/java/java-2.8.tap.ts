// kafka-clients 2.8.2, played through its hand.
import { playJava } from './clients.ts'

await playJava('java-2.8', '2.8.2', [])
