/** A workflow as an SVG of its own: no script, no font, no link, nothing loaded; every text escaped. */
import type { Step, Workflow } from './definition.js'
import { type EdgeKind, labelOf } from './drawing.js'
import { boxHeight, boxWidth, type Layout, layoutWorkflow, type Point } from './layout.js'

const legendHeight = 34
const textLimit = 30

/** Where edges of each kind touch a box, beside its middle, so that two between the same boxes stay apart. */
const shift: Readonly<Record<EdgeKind, number>> = { data: -10, approval: -10, delegation: 14 }

const style = `
text{font:13px system-ui,sans-serif;text-anchor:middle;fill:#1b1f24}
.id{font-weight:600}.who{fill:#57606a}.when{font-size:11px;font-style:italic;fill:#57606a}.legend{font-size:11px;text-anchor:start}
.agent{fill:#f6f8fa;stroke:#57606a}.gate{fill:#fff8e1;stroke:#b08800}
.edge{fill:none;stroke:#57606a;stroke-width:1.4}.delegation{stroke:#0969da;stroke-dasharray:5 4}.approval{stroke:#b08800;stroke-width:2.2}`

/** @returns a complete SVG document, the same for the same workflow */
export function workflowSvg(workflow: Workflow): string {
  const layout = layoutWorkflow(workflow)
  const width = Math.max(layout.width, 500)
  const height = layout.height + legendHeight
  const left = (width - layout.width) / 2
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>${escapeText(`${workflow.id} ${workflow.version}`)}</title>`,
    `<desc>${escapeText(workflow.description)}</desc>`,
    `<style>${style}</style>`,
    `<defs>${markers()}</defs>`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    `<g transform="translate(${left} 0)">`,
    ...edges(layout),
    ...layout.boxes.map(({ step, center }) => box(step, center)),
    '</g>',
    legend(layout.height),
    '</svg>',
    '',
  ].join('\n')
}

function edges(layout: Layout): readonly string[] {
  return layout.edges.map(({ edge, points }) => {
    const last = points.length - 1
    const moved = points.map((point, index) =>
      index === 0 || index === last ? { x: point.x + shift[edge.kind], y: point.y } : point,
    )
    return `<path class="edge ${edge.kind}" marker-end="url(#${edge.kind})" d="${curve(moved)}"/>`
  })
}

/** Straight through the layers, an S between them. */
function curve(points: readonly Point[]): string {
  const [start, ...rest] = points
  if (!start) return ''
  let before = start
  const parts = [`M${start.x} ${start.y}`]
  rest.forEach((point, index) => {
    const middle = (before.y + point.y) / 2
    const straight = index % 2 === 1
    parts.push(
      straight
        ? `L${point.x} ${point.y}`
        : `C${before.x} ${middle} ${point.x} ${middle} ${point.x} ${point.y}`,
    )
    before = point
  })
  return parts.join(' ')
}

function box(step: Step, { x, y }: Point): string {
  const [left, right, top, bottom] = [
    x - boxWidth / 2,
    x + boxWidth / 2,
    y - boxHeight / 2,
    y + boxHeight / 2,
  ]
  const shape =
    step.kind === 'gate'
      ? `<polygon class="gate" points="${left},${y} ${left + 24},${top} ${right - 24},${top} ${right},${y} ${right - 24},${bottom} ${left + 24},${bottom}"/>`
      : `<rect class="agent" x="${left}" y="${top}" width="${boxWidth}" height="${boxHeight}" rx="8"/>`
  const lines = labelOf(step)
  const first = y + 5 - (lines.length - 1) * 9
  const texts = lines.map(
    (line, index) =>
      `<text class="${['id', 'who', 'when'][index]}" x="${x}" y="${first + index * 18}">${escapeText(clip(line))}</text>`,
  )
  return `<g><title>${escapeText(lines.join(' · '))}</title>${shape}${texts.join('')}</g>`
}

function markers(): string {
  const colors: Readonly<Record<EdgeKind, string>> = {
    data: '#57606a',
    delegation: '#0969da',
    approval: '#b08800',
  }
  return Object.entries(colors)
    .map(
      ([kind, color]) =>
        `<marker id="${kind}" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0L8 4L0 8z" fill="${color}"/></marker>`,
    )
    .join('')
}

function legend(top: number): string {
  const kinds: readonly [EdgeKind, string][] = [
    ['data', 'data follows'],
    ['delegation', 'authority is delegated'],
    ['approval', 'a person approves'],
  ]
  const y = top + 10
  return kinds
    .map(([kind, text], index) => {
      const x = 20 + index * 165
      return `<path class="edge ${kind}" d="M${x} ${y}h24"/><text class="legend" x="${x + 30}" y="${y + 4}">${text}</text>`
    })
    .join('')
}

function clip(text: string): string {
  const chars = [...text]
  return chars.length > textLimit ? `${chars.slice(0, textLimit - 1).join('')}…` : text
}

/** XML 1.0 has no place for most control characters; the rest is escaped. */
function escapeText(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Cs}\ufffe\uffff]/gu, ' ')
    .replace(/[&<>"']/g, (char) => `&#${char.codePointAt(0)};`)
}
