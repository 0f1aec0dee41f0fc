/** A definition under validation. */
import type { CompleteDefinition, Step } from './definition.js'
import { didYouMean, type Fail, type Place, quoted } from './place.js'

/** What each check needs to look up. */
export interface Subject {
  readonly definition: CompleteDefinition
  readonly byId: ReadonlyMap<string, Step>
  /** Where a step stands in the definition. */
  placeOf(step: Step): Place
  readonly fail: Fail
}

/** Finds a step by id, or fails at the place that names it. */
export function requireStep(subject: Subject, id: string, place: Place): Step {
  return (
    subject.byId.get(id) ?? subject.fail(place, `no step ${quoted(id)}${didYouMean(id, subject.byId.keys())}`)
  )
}
