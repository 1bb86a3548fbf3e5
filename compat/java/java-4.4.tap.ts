// kafka-clients 4.4.0, played through its hand.
import { playJava } from './clients.ts'

await playJava('java-4.4', '4.4.0', ['since30', 'since39', 'since41'])
