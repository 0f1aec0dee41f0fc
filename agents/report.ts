/** What a run found and did, before and after: for people as Markdown, for scripts as data. */
import type { JsonValue } from '../runtime/index.js'
import type { Finding } from './dependencies/scan.js'
import type { Verified } from './verifier.js'

/** `{findings_before, findings_after, patched, unfixable}`; a finding is one advisory against one installed version. */
export function reportData(verified: Verified): JsonValue {
  const { fixes, unfixable, notes } = verified.plan
  return {
    findings_before: countOf(verified.before),
    findings_after: countOf(verified.after),
    patched: patchedOf(verified).map((fix) => ({
      package: fix.package,
      from: fix.from,
      to: fix.to,
      advisories: [...fix.advisories],
      breaking: fix.breaking,
    })),
    not_patched: fixes.length - patchedOf(verified).length,
    unfixable: unfixable.map((one) => ({
      package: one.package,
      version: one.version,
      advisories: [...one.advisories],
      reason: one.reason,
    })),
    notes: [...new Set([...verified.notes, ...notes])],
  }
}

/** A fix counts only if the scan afterwards does not find that version affected any more. */
function patchedOf(verified: Verified) {
  const still = new Set(verified.after.map((found) => `${found.package}@${found.version}`))
  return verified.written.length === 0
    ? []
    : verified.plan.fixes.filter((fix) => !still.has(`${fix.package}@${fix.from}`))
}

function countOf(findings: readonly Finding[]): number {
  return findings.reduce((sum, finding) => sum + finding.advisories.length, 0)
}

export function reportText(verified: Verified): string {
  const patched = patchedOf(verified)
  const lines = [
    '# Vulnerable dependencies',
    '',
    `Project: ${verified.repository}`,
    '',
    `Before: ${countOf(verified.before)} findings in ${verified.before.length} package versions.`,
    `After: ${countOf(verified.after)} findings in ${verified.after.length} package versions.`,
    '',
    ...section(
      'Patched',
      patched.map(
        (fix) =>
          `${fix.package} ${fix.from} → ${fix.to}${fix.breaking ? ' (breaking)' : ''}: ${fix.advisories.join(', ')}`,
      ),
    ),
    ...section(
      'Could not be fixed',
      verified.plan.unfixable.map(
        (one) => `${one.package} ${one.version}: ${one.reason} (${one.advisories.join(', ')})`,
      ),
    ),
    ...section(
      'Still found',
      verified.after.map(
        (found) =>
          `${found.package} ${found.version} (${found.severity}): ${found.advisories.map(({ id }) => id).join(', ')}`,
      ),
    ),
    ...section('Files written', verified.written),
    ...section('Notes', verified.notes),
  ]
  return `${lines.join('\n').trimEnd()}\n`
}

function section(title: string, items: readonly string[]): readonly string[] {
  return items.length === 0 ? [] : [`## ${title}`, '', ...items.map((item) => `- ${item}`), '']
}
