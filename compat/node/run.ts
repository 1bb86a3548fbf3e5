// How a hand written in TypeScript is started on a Node that does not strip types by itself.
export function nodeHand(file: string): readonly string[] {
  return [process.execPath, '--import=@tapjs/typescript/import', file]
}
