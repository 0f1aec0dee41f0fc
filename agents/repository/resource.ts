/**
 * The repository service: one project folder as a guarded HTTP resource. It answers only for that folder,
 * reads and plans without changing anything, and writes only what an approval was bound to.
 */
import { AgenticError, type GuardedResource } from '../../runtime/index.js'
import type { AdvisorySet } from '../advisories/advisory-set.js'
import type { FileChange } from '../dependencies/change.js'
import { takeInventory } from '../dependencies/inventory.js'
import { planFixes as plan } from '../dependencies/plan.js'
import { readProject } from '../dependencies/project.js'
import { findVulnerable } from '../dependencies/scan.js'
import type { Manifests, Patched, Scan } from '../results.js'
import { applyPatch, listManifests, planFixes, readInventory } from '../tools.js'
import { applyChanges } from './apply-changes.js'
import type { WorkingTree } from './working-tree.js'

interface ForRepository {
  readonly repository: string
}

/**
 * @param repository the folder's real path, as tokens and arguments must name it
 * @param only the workflow and steps that may write here, whatever a token says
 */
export function repositoryResource(options: {
  readonly repository: string
  readonly tree: WorkingTree
  readonly advisories: AdvisorySet
  readonly only: { readonly workflow: string; readonly steps: readonly string[] }
}): GuardedResource {
  const { repository, tree, advisories } = options
  const mine = (args: ForRepository) => {
    if (args.repository === repository) return
    throw new AgenticError('ERR_TOOL_FAILED', 'this service serves another folder')
  }
  return {
    id: 'repository',
    tools: [
      {
        definition: listManifests,
        async handler(args: ForRepository): Promise<Manifests> {
          mine(args)
          const project = await readProject(tree)
          const manifests = [project.manifest, ...project.workspaces].map(({ file }) => file)
          return { repository, manifests, lock: project.lock?.file ?? null }
        },
      },
      {
        definition: readInventory,
        async handler(args: ForRepository): Promise<Scan> {
          mine(args)
          const { lock, installed, notes } = takeInventory(await readProject(tree))
          const packages = installed.map(({ name, version, path, direct, dev }) => ({
            name,
            version,
            path,
            direct: direct.length > 0,
            dev,
          }))
          return { lock: lock?.file ?? null, packages, notes }
        },
      },
      {
        definition: planFixes,
        async handler(
          args: ForRepository & { readonly fix: readonly string[]; readonly allow_major: boolean },
        ) {
          mine(args)
          const project = await readProject(tree)
          const findings = findVulnerable(takeInventory(project), advisories)
          const wanted = findings.filter((found) => args.fix.includes(`${found.package}@${found.version}`))
          return plan(project, wanted, advisories, { allowMajor: args.allow_major })
        },
      },
      {
        definition: applyPatch,
        only: options.only,
        async handler(args: ForRepository & { readonly changes: readonly FileChange[] }): Promise<Patched> {
          mine(args)
          return { written: await applyChanges(tree, args.changes) }
        },
      },
    ],
  }
}
