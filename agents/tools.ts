/**
 * The tools of the patching agents. All of them are calls to two guarded resources; each is declared once,
 * for the agents that call it and for the resource that serves it.
 */
import { z } from 'zod'
import { defineTool } from '../runtime/index.js'

const repository = z.string().min(1).max(4096).describe('Absolute path of the project, as the task names it.')

/** One package at one version, `name@version`. */
const packageAtVersion = z.string().min(3).max(300)

export const listManifests = defineTool({
  name: 'repository/list_manifests',
  description: 'Lists the package.json files of the project and its npm lock file.',
  parameters: z.object({ repository }),
  scope: 'repo:read',
  http: { resource: 'repository', method: 'POST', path: '/list-manifests' },
})

export const readInventory = defineTool({
  name: 'repository/read_inventory',
  description: 'Lists every installed package with its version, and who asked for it.',
  parameters: z.object({ repository }),
  scope: 'repo:read',
  http: { resource: 'repository', method: 'POST', path: '/read-inventory' },
})

export const matchAdvisories = defineTool({
  name: 'advisories/match',
  description:
    'Tells which of the given packages have known vulnerabilities, how severe, and which versions fix them.',
  parameters: z.object({
    packages: z.array(packageAtVersion).max(50_000).describe('Packages as name@version.'),
  }),
  scope: 'advisories:read',
  http: { resource: 'advisories', method: 'POST', path: '/match' },
})

export const planFixes = defineTool({
  name: 'repository/plan_fixes',
  description: 'Proposes the smallest version changes that fix the given packages. Changes nothing.',
  parameters: z.object({
    repository,
    fix: z.array(packageAtVersion).max(10_000).describe('Vulnerable packages to fix, as name@version.'),
    allow_major: z.boolean().describe('Whether a new major version may be proposed, as the task says.'),
  }),
  scope: 'repo:plan',
  http: { resource: 'repository', method: 'POST', path: '/plan-fixes' },
})

const fileChange = z.object({
  file: z.string().min(1).max(4096).describe('Path relative to the project.'),
  before: z.string().describe('Digest of the file the change was made for.'),
  after: z.string().describe('Digest of the file once it is changed.'),
  edits: z
    .array(z.object({ pointer: z.string().max(4096), from: z.json(), to: z.json() }))
    .max(100_000)
    .describe('JSON pointer, value that must be there, value to put there; null is absence.'),
})

export const applyPatch = defineTool({
  name: 'repository/apply_patch',
  description: 'Writes exactly the approved changes to the project, all of them or none.',
  parameters: z.object({ repository, changes: z.array(fileChange).max(10_000) }),
  scope: 'repo:write',
  http: { resource: 'repository', method: 'POST', path: '/apply-patch' },
})
