// Which topics are views of which. They come, grow and go with the topic that they show.

import { recordsOfGrowth } from './making.ts'
import type { MetadataRecord } from './metadata-log.ts'
import type { Renaming } from './renaming.ts'
import type { Topic } from './topic.ts'

export class Views {
  readonly #bySource = new Map<string, Set<Topic>>()

  /** The views of a topic, by its name. */
  of(name: string): Topic[] {
    return [...(this.#bySource.get(name) ?? [])]
  }

  *[Symbol.iterator](): IterableIterator<Topic> {
    for (const views of this.#bySource.values()) yield* views
  }

  added(topic: Topic): void {
    const { view } = topic.config
    if (view === undefined) return
    const views = this.#bySource.get(view.of) ?? new Set()
    this.#bySource.set(view.of, views.add(topic))
  }

  removed(topic: Topic): void {
    const { view } = topic.config
    const views = view && this.#bySource.get(view.of)
    if (views?.delete(topic) && views.size === 0) this.#bySource.delete(view!.of)
  }

  /** Topics with the views of them, each once. */
  with(topics: readonly Topic[]): Topic[] {
    return [...new Set([...topics, ...topics.flatMap(({ name }) => this.of(name))])]
  }

  /**
   * What is made anew under names that there are views of may have another number of partitions (a branch that is reset has its
   * parent's): so have they. Answers what becomes true by it; `done` once those topics are there.
   */
  following(
    topics: readonly { readonly name: string; readonly partitions: number }[],
    making: Parameters<typeof recordsOfGrowth>[3],
  ): { records: MetadataRecord[]; done(): void } {
    const others = topics.flatMap(({ name, partitions: count }) =>
      this.of(name).flatMap((view) => (view.partitions.length === count ? [] : [{ view, count }])),
    )
    return {
      records: others.flatMap(({ view, count }): MetadataRecord[] =>
        count > view.partitions.length
          ? recordsOfGrowth([view], count, undefined, making)
          : [{ v: 1, type: 'partitions', id: view.id, count }],
      ),
      done: () => {
        for (const { view, count } of others) {
          view.growTo(count)
          view.shrinkTo(count)
        }
      },
    }
  }

  /**
   * A view stays with the name that it is of, whatever is behind it. Where a topic takes its name along and no other takes
   * that, views go with the topic. Answers what becomes true by it; `done` once the topics have their names.
   */
  renamed(renamings: readonly Renaming[]): { records: MetadataRecord[]; done(): void } {
    const given = new Set(renamings.map(({ name }) => name))
    const nameOf = new Map(renamings.map(({ topic, name }) => [topic, name]))
    const moved = renamings
      .filter(({ topic }) => !given.has(topic.name))
      .flatMap(({ topic, name }) =>
        this.of(topic.name).map((view) => ({ view, configs: { ...view.config.overrides(), 'view.of': name } })),
      )
    return {
      records: moved.map(({ view, configs }) => {
        return { v: 1, type: 'config', of: 'topic', name: nameOf.get(view) ?? view.name, configs }
      }),
      done: () => {
        for (const { view, configs } of moved) {
          this.removed(view)
          view.configure(configs)
          this.added(view)
        }
      },
    }
  }
}
