// Makes a client's hand ready for who is not a driver, and says on stdout how it is started: {"command":[…],"cwd":"…"}.
import { fileURLToPath } from 'node:url'
import { goHand } from './go/build.ts'
import { javaCommand } from './java/command.ts'
import { missing } from './process.ts'
import { pythonHand } from './python/venv.ts'

const clients: {
  readonly [name: string]: readonly [needs: string[], folder: string, make: () => Promise<readonly string[]>]
} = {
  java: [['java', 'javac', 'mvn'], 'java', () => javaCommand('4.4.0', ['since30', 'since39', 'since41'])],
  confluent: [['python3'], 'python', () => pythonHand('confluent')],
  franz: [['go'], 'go', () => goHand('franz')],
}

const [needs, folder, make] = clients[process.argv[2] ?? ''] ?? fail(`clients: ${Object.keys(clients).join(' ')}`)
const absent = missing(...needs)
if (absent !== undefined) fail(absent)
const command = await make().catch((problem: Error) => fail(problem.message))
console.log(JSON.stringify({ command, cwd: fileURLToPath(new URL(`${folder}/`, import.meta.url)) }))

function fail(why: string): never {
  console.error(why)
  process.exit(1)
}
