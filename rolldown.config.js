// What is started and what is imported come as a few files instead of four hundred: the broker is ready in two thirds of
// the time. Packages stay outside, so that npm keeps them up to date. The program comes once more as CommonJS, for V8 can keep
// what it compiles of that (src/compiled.ts).

import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const { dependencies, optionalDependencies, peerDependencies } = JSON.parse(
  readFileSync(new URL('package.json', import.meta.url), 'utf8'),
)

/** npm makes a command executable once, when it installs it; what is built again later is another file. */
const executable = { name: 'executable', writeBundle: () => chmodSync('dist/bundle/main.js', 0o755) }

/** What TypeScript is told where a file is required: a declaration that is a module itself cannot be, it believes, though Node can. */
function declareRequired(module, values, types) {
  const from = `import('../src/${module}.js', { with: { 'resolution-mode': 'import' } })`
  const lines = [
    ...values.map((name) => `export declare const ${name}: typeof ${from}.${name}`),
    ...types.map((name) => `export type ${name} = ${from}.${name}`),
  ]
  writeFileSync(`dist/bundle/${module}.d.cts`, `${lines.join('\n')}\n`)
}

const jestTypes = {
  name: 'jest-types',
  writeBundle: () => {
    const functions = ['globalBroker', 'stopBroker', 'useBranch']
    declareRequired('jest', functions, ['BranchOptions', 'FixtureOptions', 'TestBranch'])
  },
}

/** A class is a value and a type. */
const indexTypes = {
  name: 'index-types',
  writeBundle: () => {
    const exported = readFileSync('dist/src/index.d.ts', 'utf8').matchAll(/^export (type )?\{([^}]*)\}/gm)
    const names = [...exported].flatMap(([, type = '', list]) =>
      list
        .split(',')
        .map((name) => name.trim())
        .filter((name) => name !== '')
        .map((name) => (name.startsWith('type ') ? name : type + name)),
    )
    const classes = names.filter((name) => !name.startsWith('type '))
    declareRequired(
      'index',
      classes,
      names.map((name) => name.replace('type ', '')),
    )
  },
}

/** All that a start needs is one file, the one that V8's code is kept of; what is loaded later stays apart. */
const everythingAtOnce = () => {
  const atOnce = new Set()
  const add = (id, context) => {
    if (atOnce.has(id)) return
    atOnce.add(id)
    for (const each of context.getModuleInfo(id)?.importedIds ?? []) add(each, context)
  }
  return {
    debugName: 'program-body',
    name: (id, context) => {
      if (atOnce.size === 0) add(fileURLToPath(new URL('dist/src/program.js', import.meta.url)), context)
      return atOnce.has(id) ? 'program-body' : null
    },
  }
}

/**
 * Text of one byte a character is read faster, and takes half the memory. And the program is a function of what CommonJS gives a
 * module: if src/compiled.ts made it one, there would be two such texts in memory.
 */
const asCompiled = {
  name: 'as-compiled',
  generateBundle: (_, bundle) => {
    // It only hands on what another file exports.
    delete bundle['program.cjs']
    for (const chunk of Object.values(bundle)) {
      const ascii = chunk.code.replace(/[\u0080-\uffff]/g, (character) => {
        return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
      })
      const isProgram = chunk.fileName === 'program-body.cjs'
      chunk.code = isProgram ? `(function (exports, require, module, __filename, __dirname) {${ascii}\n})` : ascii
    }
  },
}

// The last is a process of the broker's own.
const names = ['main', 'index', 'vitest', 'fixture-broker', 'revision/packing-child']

export default [
  {
    input: names.map((name) => `dist/src/${name}.js`),
    platform: 'node',
    logLevel: 'warn',
    external: Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies }),
    plugins: [executable, indexTypes],
    output: { dir: 'dist/bundle', format: 'esm', cleanDir: true },
  },
  {
    input: 'dist/src/program.js',
    platform: 'node',
    logLevel: 'warn',
    external: Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies }),
    plugins: [asCompiled],
    output: {
      dir: 'dist/bundle',
      format: 'cjs',
      // V8 forgets with the code it keeps who is to be asked for a module.
      dynamicImportInCjs: false,
      comments: false,
      entryFileNames: '[name].cjs',
      chunkFileNames: ({ name }) => (name === 'program-body' ? '[name].cjs' : '[name]-[hash].cjs'),
      codeSplitting: { groups: [everythingAtOnce()] },
    },
  },
  {
    // Jest loads CommonJS; the broker, which only its first process needs, stays the module that it is.
    input: 'dist/src/jest.js',
    platform: 'node',
    logLevel: 'warn',
    external: [/fixture-broker/],
    plugins: [jestTypes],
    output: { file: 'dist/bundle/jest.cjs', format: 'cjs' },
  },
]
