/**
 * The plan: which files change how, so that vulnerable versions go, and what cannot be fixed and why.
 * Nothing is written and nothing is fetched: the same files and advisories give the same plan.
 */
import type { AdvisorySet } from '../advisories/advisory-set.js'
import { type FileChange, fileDigest } from './change.js'
import { type Decision, decideFixes, type Refusal } from './decide.js'
import { applyEdits } from './edit-text.js'
import { type Installed, parseProject, takeInventory } from './inventory.js'
import { overridesFor } from './overrides.js'
import { completionNotes, editsFor } from './plan-edits.js'
import type { Project } from './project.js'
import type { Finding } from './scan.js'

export interface Fix {
  readonly package: string
  readonly from: string
  readonly to: string
  readonly paths: readonly string[]
  /** Ids of the advisories that no longer apply. */
  readonly advisories: readonly string[]
  /** A caret range on the old version would not admit the new one. */
  readonly breaking: boolean
  /** `range`: a declaration is rewritten; `override`: a rule in the root manifest; `lock`: lock entries move. */
  readonly how: readonly ('range' | 'override' | 'lock')[]
}

export interface Unfixable {
  readonly package: string
  readonly version: string
  readonly paths: readonly string[]
  readonly advisories: readonly string[]
  /** In plain words. */
  readonly reason: string
}

export interface Plan {
  readonly changes: readonly FileChange[]
  readonly fixes: readonly Fix[]
  readonly unfixable: readonly Unfixable[]
  /** What a reader should know besides, in plain words. */
  readonly notes: readonly string[]
}

export interface PlanOptions {
  /** Also force a new major version on packages that the project does not declare itself; default false. */
  readonly allowMajor?: boolean
}

/** Plans the smallest changes that fix findings.
 *
 * Each vulnerable version goes to the lowest known version that no advisory affects (`chooseFix`). The project's own
 * ranges are raised where they do not admit it or begin at a vulnerable version; for a direct dependency that may be
 * a new major version, marked `breaking`. Where another package's range does not admit the fix, an override of
 * exactly that range is added. Every instance's lock entry moves.
 * @param findings what to fix, as `findVulnerable` gave them; a part of them is fine
 * @throws AgenticError ERR_TOOL_FAILED when a file cannot be read as what it is
 */
export function planFixes(
  project: Project,
  findings: readonly Finding[],
  advisories: AdvisorySet,
  options: PlanOptions = {},
): Plan {
  const parsed = parseProject(project)
  const inventory = takeInventory(project)
  const fixes: Fix[] = []
  const unfixable: Unfixable[] = []
  const decisions: { readonly name: string; readonly decision: Decision }[] = []
  const notes = [...inventory.notes, ...advisories.notes]
  for (const [name, wanted] of byPackage(findings)) {
    const instances = inventory.installed.filter((one) => one.name === name)
    const rules = overridesFor(parsed.manifests[0].overrides ?? {}, name)
    const versions = wanted.map((finding) => finding.version)
    const made = decideFixes({
      name,
      versions,
      instances,
      rules,
      advisories,
      allowMajor: options.allowMajor ?? false,
    })
    for (const finding of wanted) {
      if (instances.some((one) => one.version === finding.version)) continue
      notes.push(`${name} ${finding.version} is not installed any more`)
    }
    for (const decision of made.decisions) {
      decisions.push({ name, decision })
      fixes.push(fixOf(name, decision, wanted, inventory.lock !== undefined))
    }
    unfixable.push(...made.refusals.map((refusal) => unfixableOf(name, refusal, wanted)))
  }
  const changes = changesOf(project, editsFor(parsed, decisions))
  return { changes, fixes, unfixable, notes: [...notes, ...completionNotes(parsed, decisions)] }
}

function byPackage(findings: readonly Finding[]): ReadonlyMap<string, readonly Finding[]> {
  const packages = new Map<string, Finding[]>()
  for (const finding of findings)
    packages.set(finding.package, [...(packages.get(finding.package) ?? []), finding])
  return packages
}

function fixOf(name: string, decision: Decision, wanted: readonly Finding[], locked: boolean): Fix {
  const how: Fix['how'][number][] = []
  if (decision.raised.length > 0) how.push('range')
  if (decision.overrides.length > 0) how.push('override')
  if (locked) how.push('lock')
  const { from, to, breaking } = decision
  return {
    package: name,
    from,
    to,
    paths: pathsOf(decision.moved),
    advisories: idsOf(wanted, from),
    breaking,
    how,
  }
}

function unfixableOf(name: string, refusal: Refusal, wanted: readonly Finding[]): Unfixable {
  const { from, stuck, reason } = refusal
  return { package: name, version: from, paths: pathsOf(stuck), advisories: idsOf(wanted, from), reason }
}

function pathsOf(instances: readonly Installed[]): readonly string[] {
  return instances.map((one) => one.path)
}

function idsOf(findings: readonly Finding[], version: string): readonly string[] {
  return (
    findings.find((finding) => finding.version === version)?.advisories.map((advisory) => advisory.id) ?? []
  )
}

function changesOf(project: Project, edits: ReturnType<typeof editsFor>): readonly FileChange[] {
  const files = [project.manifest, ...project.workspaces, ...(project.lock ? [project.lock] : [])]
  return files.flatMap(({ file, text, digest }) => {
    const wanted = edits.get(file) ?? []
    if (wanted.length === 0) return []
    return [{ file, before: digest, after: fileDigest(applyEdits(text, wanted)), edits: wanted }]
  })
}
