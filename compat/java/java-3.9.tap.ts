// kafka-clients 3.9.2, played through its hand.
import { playJava } from './clients.ts'

await playJava('java-3.9', '3.9.2', ['since30', 'since39'])
