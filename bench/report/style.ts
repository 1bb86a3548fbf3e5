// How the page looks, by day and by night. Its two main colours are told apart by those who do not see red and green alike.
export const style = `
:root { --ink: #1b1f24; --soft: #5c6670; --faint: #e3e7eb; --ground: #fff; --one: #0072b2; --two: #d55e00; --three: #6a5acd; --missed: #b3261e }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8eaed; --soft: #9aa4af; --faint: #30363d; --ground: #14171a; --one: #56b4e9; --two: #f0a35e; --three: #b7a6ff; --missed: #ff8a80 }
}
body { font: 15px/1.45 system-ui, sans-serif; color: var(--ink); background: var(--ground); max-width: 1080px; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.7rem; margin-bottom: .3rem } h2 { margin-top: 2.4rem } h3 { margin: 2rem 0 .4rem }
.facts, .noise, figcaption { color: var(--soft) } .noise { font-size: .85em } .warning { color: var(--missed) }
.legend span { margin-right: 1.4em } .legend i { display: inline-block; width: .8em; height: .8em; margin-right: .4em; background: currentColor; border-radius: 50% }
.legend .peer1 i, .legend .peer2 i { border-radius: 0 }
.peer0 { color: var(--one) } .peer1 { color: var(--two) } .peer2 { color: var(--three) }
figure { margin: 0 } figure.wide { overflow-x: auto } .plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(440px, 1fr)); gap: 1.6rem }
svg { width: 100%; font: 12px system-ui, sans-serif; fill: currentColor; stroke: currentColor; stroke-width: 0 }
svg g { fill: currentColor; stroke: currentColor }
svg.strip { width: 180px; display: block }
svg .grid { stroke: var(--faint); stroke-width: 1 } svg .one { stroke: var(--soft); stroke-width: 1; stroke-dasharray: 3 3 }
svg .tick { fill: var(--soft) } svg .range { stroke-width: 2; opacity: .45 } svg .bar { stroke-width: 3; opacity: .25 }
svg polyline { fill: none; stroke-width: 2 } svg .name { fill: var(--ink) } svg .goal { fill: none; stroke: var(--soft); stroke-width: 2 }
svg .reached { color: var(--one) } svg .missed { color: var(--missed) } svg .missed path { fill: none; stroke-width: 2.5 } svg .missed path.goal { stroke: var(--soft); stroke-width: 2 }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: .93em }
th, td { text-align: right; padding: .25rem .6rem; border-bottom: 1px solid var(--faint); vertical-align: middle; white-space: nowrap }
th:first-child { text-align: left; font-weight: normal; white-space: normal } thead th { color: var(--soft); font-weight: normal }
small { color: var(--soft) } tr.missed td:nth-last-child(2) { color: var(--missed) }
`
