// The stage on which branches are played, for revisions and views.

import type { Configs, Stage } from '../branch/stage.ts'

export { type Configs, numbered, type Options, type Read, Stage } from '../branch/stage.ts'

/** Makes a view as an admin client does; rejects with what the broker has said. */
export async function view(stage: Stage, of: string, kind: string, name: string, configs: Configs = {}): Promise<void> {
  await stage.create(name, -1, { 'view.of': of, 'view.kind': kind, ...configs })
}

/** The configurations of a topic that are about revisions and views. */
export async function revisionConfigs(stage: Stage, topic: string): Promise<Record<string, string>> {
  const all = Object.entries(await stage.configs(topic))
  return Object.fromEntries(all.filter(([name]) => /^(revision|view)\./.test(name)))
}
