/**
 * Places the steps of a workflow in layers, top to bottom: each step below all its prerequisites. An edge
 * that passes a layer gets a narrow place of its own there, so that it does not run through a box.
 */
import type { Step, Workflow } from './definition.js'
import { type DrawnEdge, edgesOf } from './drawing.js'
import { prerequisitesOf } from './prerequisites.js'

export interface Point {
  readonly x: number
  readonly y: number
}

export interface Layout {
  readonly width: number
  readonly height: number
  /** The centres of the boxes, all `boxWidth` by `boxHeight`. */
  readonly boxes: readonly { readonly step: Step; readonly center: Point }[]
  /** From the lower side of a box by way of the layers passed to the upper side of the next. */
  readonly edges: readonly { readonly edge: DrawnEdge; readonly points: readonly Point[] }[]
}

export const boxWidth = 210
export const boxHeight = 64
const passWidth = 14
const gap = 26
const layerHeight = boxHeight + 56
const margin = 24

/** A place in a layer: a step, or the passing of an edge. */
interface Slot {
  readonly step?: Step
  readonly layer: number
  readonly width: number
  readonly above: Slot[]
  readonly below: Slot[]
  x: number
}

export function layoutWorkflow(workflow: Workflow): Layout {
  const slots = stepSlots(workflow)
  const layers: Slot[][] = []
  for (const slot of slots.values()) layerAt(layers, slot.layer).push(slot)
  const routes = edgesOf(workflow).map((edge) => ({ edge, slots: route(edge, slots, layers) }))
  for (let round = 0; round < 6; round++) sortLayers(layers, round % 2 === 0)
  for (const layer of layers) spread(layer)
  for (let round = 0; round < 12; round++) pull(layers, round % 2 === 0)
  const all = layers.flat()
  const left = Math.min(...all.map((slot) => slot.x - slot.width / 2)) - margin
  const right = Math.max(...all.map((slot) => slot.x + slot.width / 2)) + margin
  const centerOf = (slot: Slot): Point => ({
    x: Math.round(slot.x - left),
    y: margin + boxHeight / 2 + slot.layer * layerHeight,
  })
  return {
    width: Math.ceil(right - left),
    height: 2 * margin + (layers.length - 1) * layerHeight + boxHeight,
    boxes: [...slots.values()].map((slot) => ({ step: slot.step as Step, center: centerOf(slot) })),
    edges: routes.map(({ edge, slots: passed }) => ({ edge, points: pointsOf(passed.map(centerOf)) })),
  }
}

function stepSlots(workflow: Workflow): ReadonlyMap<string, Slot> {
  const slots = new Map<string, Slot>()
  for (const step of workflow.steps) {
    const layer = Math.max(-1, ...prerequisitesOf(step).map((id) => slots.get(id)?.layer ?? -1)) + 1
    slots.set(step.id, { step, layer, width: boxWidth, above: [], below: [], x: 0 })
  }
  return slots
}

/** The slots an edge goes through, made where it passes a layer. */
function route(edge: DrawnEdge, slots: ReadonlyMap<string, Slot>, layers: Slot[][]): readonly Slot[] {
  const from = slots.get(edge.from) as Slot
  const to = slots.get(edge.to) as Slot
  const path = [from]
  for (let layer = from.layer + 1; layer < to.layer; layer++) {
    const pass: Slot = { layer, width: passWidth, above: [], below: [], x: 0 }
    layerAt(layers, layer).push(pass)
    path.push(pass)
  }
  path.push(to)
  path.forEach((slot, index) => {
    const next = path[index + 1]
    if (!next) return
    slot.below.push(next)
    next.above.push(slot)
  })
  return path
}

/** Orders each layer by the mean position of its neighbours on one side. */
function sortLayers(layers: readonly Slot[][], downwards: boolean): void {
  const position = new Map<Slot, number>()
  const number = (layer: readonly Slot[]): void => {
    for (const [index, slot] of layer.entries()) position.set(slot, index)
  }
  for (const layer of layers) number(layer)
  for (const layer of downwards ? layers : [...layers].reverse()) {
    const key = new Map(
      layer.map((slot) => [slot, mean(neighbours(slot, downwards).map((n) => position.get(n) ?? 0))]),
    )
    layer.sort((a, b) => (key.get(a) ?? position.get(a) ?? 0) - (key.get(b) ?? position.get(b) ?? 0))
    number(layer)
  }
}

/** Puts a layer's slots side by side around zero. */
function spread(layer: readonly Slot[]): void {
  const total = layer.reduce((sum, slot) => sum + slot.width + gap, -gap)
  let x = -total / 2
  for (const slot of layer) {
    slot.x = x + slot.width / 2
    x += slot.width + gap
  }
}

/** Moves slots towards their neighbours on one side, as far as the others leave room. */
function pull(layers: readonly Slot[][], downwards: boolean): void {
  for (const layer of downwards ? layers : [...layers].reverse()) {
    const wanted = layer.map((slot) => mean(pulling(slot, downwards).map((n) => n.x)) ?? slot.x)
    layer.forEach((slot, index) => {
      slot.x = wanted[index] ?? slot.x
    })
    layer.forEach((slot, index) => {
      const before = layer[index - 1]
      if (before) slot.x = Math.max(slot.x, before.x + (before.width + slot.width) / 2 + gap)
    })
    // Pushing apart goes only to the right; the layer as a whole is moved back.
    const drift = mean(layer.map((slot, index) => slot.x - (wanted[index] ?? slot.x))) ?? 0
    for (const slot of layer) slot.x -= drift
  }
}

function neighbours(slot: Slot, above: boolean): readonly Slot[] {
  return above ? slot.above : slot.below
}

/** Edges between boxes, and long edges along their way, are kept straight first. */
function pulling(slot: Slot, above: boolean): readonly Slot[] {
  const all = neighbours(slot, above)
  const alike = all.filter((neighbour) => (neighbour.step === undefined) === (slot.step === undefined))
  return alike.length > 0 ? alike : all
}

function mean(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length
}

/** An edge leaves and enters boxes at their sides and passes layers straight. */
function pointsOf(centers: readonly Point[]): readonly Point[] {
  return centers.flatMap(({ x, y }, index) => {
    const top = { x, y: y - boxHeight / 2 }
    const bottom = { x, y: y + boxHeight / 2 }
    if (index === 0) return [bottom]
    return index === centers.length - 1 ? [top] : [top, bottom]
  })
}

function layerAt(layers: Slot[][], index: number): Slot[] {
  const layer = layers[index] ?? []
  layers[index] = layer
  return layer
}
