/** One OSV record: strict about the shape of what concerns npm, silent about other ecosystems. */
import { AgenticError, type JsonObject, type JsonValue } from '../../runtime/index.js'
import { type Affected, type RangeEvent, readBound } from './affected.js'
import { cvss3BaseScore, type Rating, ratingOf } from './cvss.js'

export interface Severity {
  readonly rating: Rating
  /** CVSS v3 base score; null when there is no such vector. */
  readonly score: number | null
  /** Where the rating comes from: computed from a vector, or the database's own word. */
  readonly basis: 'cvss3' | 'stated' | 'unknown'
}

export interface Advisory {
  readonly id: string
  readonly aliases: readonly string[]
  /** RFC 3339. */
  readonly modified: string
  readonly withdrawn: boolean
  readonly severity: Severity
  /** By npm package name; empty when the record is about other ecosystems only. */
  readonly affected: ReadonlyMap<string, Affected>
  /** Bounds that could not be read, in plain words. */
  readonly notes: readonly string[]
}

/** Parses an OSV record (https://ossf.github.io/osv-schema/).
 * @param where how messages name the record's place
 * @throws AgenticError ERR_TOOL_FAILED naming the member that is wrong
 */
export function parseOsvRecord(value: JsonValue, where: string): Advisory {
  const record = objectAt(value, where)
  const id = textAt(record['id'], `${where}: "id"`)
  const modified = textAt(record['modified'], `${where}: "modified"`)
  if (Number.isNaN(Date.parse(modified))) throw wrong(`${where}: "modified" must be a date`)
  const notes: string[] = []
  const affected = new Map<string, Affected>()
  listAt(record['affected'], `${where}: "affected"`).forEach((entry, index) => {
    addAffected(affected, entry, `${where}: "affected[${index}]"`, id, notes)
  })
  const aliases = listAt(record['aliases'], `${where}: "aliases"`).map((alias) =>
    textAt(alias, `${where}: "aliases"`),
  )
  const withdrawn = record['withdrawn'] !== undefined && record['withdrawn'] !== null
  return { id, aliases, modified, withdrawn, severity: severityOf(record, where), affected, notes }
}

function addAffected(
  found: Map<string, Affected>,
  value: JsonValue,
  where: string,
  id: string,
  notes: string[],
): void {
  const entry = objectAt(value, where)
  const named = objectAt(entry['package'] ?? {}, `${where}.package`)
  if (named['ecosystem'] !== 'npm') return
  const name = textAt(named['name'], `${where}.package.name`)
  const ranges = listAt(entry['ranges'], `${where}.ranges`).flatMap((range, index) => {
    const events = readRange(range, `${where}.ranges[${index}]`)
    const unread = events.find((event) => !isReadable(event))
    if (!unread) return events.length > 0 ? [events.map(normalized)] : []
    notes.push(`${id}: a range of ${name} is not judged, its bound "${unread.version}" is no version`)
    return []
  })
  const versions = listAt(entry['versions'], `${where}.versions`).map((version) =>
    textAt(version, `${where}.versions`),
  )
  const before = found.get(name)
  found.set(name, {
    ranges: [...(before?.ranges ?? []), ...ranges],
    versions: [...(before?.versions ?? []), ...versions],
  })
}

const eventKinds = ['introduced', 'fixed', 'last_affected', 'limit'] as const

function readRange(value: JsonValue, where: string): readonly RangeEvent[] {
  const range = objectAt(value, where)
  const type = textAt(range['type'], `${where}.type`)
  if (type === 'GIT') return [] // commits, which no npm version is
  return listAt(range['events'], `${where}.events`).map((event, index) => {
    const at = `${where}.events[${index}]`
    const object = objectAt(event, at)
    const kinds = eventKinds.filter((kind) => Object.hasOwn(object, kind))
    const kind = kinds[0]
    if (kind === undefined || kinds.length > 1)
      throw wrong(`${at} must have exactly one of ${eventKinds.join(', ')}`)
    return { kind, version: textAt(object[kind], `${at}.${kind}`) }
  })
}

function isReadable(event: RangeEvent): boolean {
  return isEdge(event) || readBound(event.version) !== undefined
}

function normalized(event: RangeEvent): RangeEvent {
  return isEdge(event) ? event : { kind: event.kind, version: readBound(event.version) ?? event.version }
}

function isEdge(event: RangeEvent): boolean {
  return (
    (event.kind === 'introduced' && event.version === '0') ||
    (event.kind === 'limit' && event.version === '*')
  )
}

const stated: Readonly<Record<string, Rating>> = {
  LOW: 'low',
  MODERATE: 'medium',
  MEDIUM: 'medium',
  HIGH: 'high',
  CRITICAL: 'critical',
}

/** A CVSS v3 vector is computed; CVSS v4 is not, there the database's own word counts. */
function severityOf(record: JsonObject, where: string): Severity {
  const scores = listAt(record['severity'], `${where}: "severity"`).flatMap((entry) => {
    const score = objectAt(entry, `${where}: "severity"`)['score']
    const computed = typeof score === 'string' ? cvss3BaseScore(score) : undefined
    return computed === undefined ? [] : [computed]
  })
  if (scores.length > 0) {
    const score = Math.max(...scores)
    return { rating: ratingOf(score), score, basis: 'cvss3' }
  }
  const specific = record['database_specific']
  const word = isObject(specific) ? specific['severity'] : undefined
  const rating =
    typeof word === 'string' && Object.hasOwn(stated, word.toUpperCase())
      ? stated[word.toUpperCase()]
      : undefined
  return rating
    ? { rating, score: null, basis: 'stated' }
    : { rating: 'unknown', score: null, basis: 'unknown' }
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function objectAt(value: JsonValue | undefined, where: string): JsonObject {
  if (!isObject(value)) throw wrong(`${where} must be an object`)
  return value
}

function textAt(value: JsonValue | undefined, where: string): string {
  if (typeof value !== 'string' || value === '') throw wrong(`${where} must be a text`)
  return value
}

/** Absent and null are an empty list, as OSV exports have it. */
function listAt(value: JsonValue | undefined, where: string): readonly JsonValue[] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) throw wrong(`${where} must be an array`)
  return value as readonly JsonValue[]
}

function wrong(sentence: string): AgenticError {
  return new AgenticError('ERR_TOOL_FAILED', sentence)
}
