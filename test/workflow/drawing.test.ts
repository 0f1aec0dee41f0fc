import { describe, expect, it } from 'vitest'
import { defineWorkflow } from '../../runtime/workflow/define.js'
import type { WorkflowDefinition } from '../../runtime/workflow/definition.js'
import { boxHeight, boxWidth, layoutWorkflow } from '../../runtime/workflow/layout.js'
import { workflowMermaid } from '../../runtime/workflow/mermaid.js'
import { workflowSvg } from '../../runtime/workflow/svg.js'
import { patchingDefinition } from '../support/patching-workflow.js'

const workflow = defineWorkflow(patchingDefinition)

/** Texts that would leave their place if they were not escaped. */
const injections = [
  '"]; click s0 "javascript:alert(1)"',
  '</text><script>alert(1)</script>',
  '"><image href="http://evil.example/x" onload="alert(1)"/>',
  ']]><foreignObject>',
  "' onload='alert(1)",
  '%%{init: {"securityLevel":"loose"}}%%',
  '`**bold**` #quot; &lt; \\n $x',
  'a\nend\nclick s0 call evil()',
  '\u202eevil\u0000\u001b[31m',
]

function withText(text: string) {
  return defineWorkflow({
    id: 'w',
    version: '1.0.0',
    description: text,
    entry: 'a',
    grant: { scope: [], tools: {} },
    steps: [
      { id: 'a', agent: 'x' },
      { id: 'b', agent: 'y', when: `a == ${JSON.stringify(text).replace(/\\u0000|\\u001b/g, '')}` },
    ],
    result: 'b',
  } satisfies WorkflowDefinition)
}

describe('workflowMermaid', () => {
  it('draws data solid, delegation dashed, approvals thick, gates as diamonds', () => {
    const lines = workflowMermaid(workflow).split('\n')
    expect(lines[0]).toBe('flowchart TD')
    expect(lines).toContain('  s1["scan<br/>scanner"]')
    expect(lines).toContain('  s0 --> s1')
    expect(lines).toContain('  s0 -. delegates .-> s1')
    expect(lines).toContain('  s3 -. delegates .-> s5')
    expect(lines).toContain('  s4 == approves ==> s5')
    expect(lines.find((line) => line.startsWith('  s4{"approve<br/>'))).toMatch(/"\}$/)
  })

  for (const text of injections) {
    it(`keeps ${JSON.stringify(text)} a text`, () => {
      const lines = workflowMermaid(withText(text)).trimEnd().split('\n')
      expect(lines).toHaveLength(4)
      expect(lines[2]).toMatch(/^ {2}s1\["b<br\/>y<br\/>when (?:[A-Za-z0-9 _.,/-]|#\d+;)*"\]$/)
    })
  }
})

describe('workflowSvg', () => {
  it('shows every step, its agent and every edge, and is the same each time', () => {
    const svg = workflowSvg(workflow)
    for (const word of ['supervise', 'supervisor', 'approve', 'verifier', 'vulnerability-patching 1.0.0']) {
      expect(svg).toContain(word)
    }
    expect(svg.match(/<path class="edge delegation" marker/g)).toHaveLength(5)
    expect(svg.match(/<path class="edge approval" marker/g)).toHaveLength(1)
    expect(svg.match(/<path class="edge data" marker/g)).toHaveLength(5)
    expect(workflowSvg(defineWorkflow(patchingDefinition))).toBe(svg)
  })

  for (const text of injections) {
    it(`keeps ${JSON.stringify(text)} a text`, () => {
      const svg = workflowSvg(withText(text))
      const elements = new Set([...svg.matchAll(/<\/?([A-Za-z!?][^\s/>]*)/g)].map((match) => match[1]))
      const drawn = ['svg', 'title', 'desc', 'style', 'defs', 'marker', 'path', 'rect', 'g', 'text']
      expect([...elements].filter((name) => !drawn.includes(name ?? ''))).toEqual([])
      const attributes = [...svg.matchAll(/<[a-z]+((?: [^<>]*)?)>/g)].flatMap((match) => [
        ...(match[1] ?? '').matchAll(/ ([^\s="]+)="/g),
      ])
      expect(attributes.filter((match) => /^(?:on|href|xlink)/i.test(match[1] ?? ''))).toEqual([])
      // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what must not be there
      expect(svg).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/)
    })
  }

  it('loads nothing', () => {
    expect(workflowSvg(workflow).replace('xmlns="http://www.w3.org/2000/svg"', '')).not.toMatch(
      /https?:|<script|<image|@import|href/,
    )
  })
})

describe('layoutWorkflow', () => {
  const wide = defineWorkflow({
    id: 'wide',
    version: '1.0.0',
    entry: 's0',
    grant: { scope: [], tools: {} },
    steps: Array.from({ length: 40 }, (_, i) => ({
      id: `s${i}`,
      agent: 'x',
      ...(i > 3 && {
        after: [`s${i - 3}`, `s${Math.floor(i / 2)}`].filter((id, at, all) => all.indexOf(id) === at),
      }),
    })),
    result: 's39',
  })

  for (const drawn of [workflow, wide]) {
    it(`puts no box of "${drawn.id}" on another, all inside, each below what it waits for`, () => {
      const { boxes, edges, width, height } = layoutWorkflow(drawn)
      expect(boxes).toHaveLength(drawn.steps.length)
      for (const [index, { center }] of boxes.entries()) {
        expect(center.x - boxWidth / 2).toBeGreaterThanOrEqual(0)
        expect(center.x + boxWidth / 2).toBeLessThanOrEqual(width)
        expect(center.y + boxHeight / 2).toBeLessThanOrEqual(height)
        for (const other of boxes.slice(index + 1)) {
          const apart =
            Math.abs(center.x - other.center.x) >= boxWidth ||
            Math.abs(center.y - other.center.y) >= boxHeight
          expect(apart).toBe(true)
        }
      }
      for (const { points } of edges) {
        points.slice(1).forEach((point, index) => {
          expect(point.y).toBeGreaterThan(points[index]?.y ?? 0)
        })
      }
    })
  }
})
