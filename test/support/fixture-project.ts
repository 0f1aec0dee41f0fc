/** The projects under test/agents/fixtures: the same one with each version of npm's lock file. */
import { fileURLToPath } from 'node:url'
import { type Project, readProject } from '../../agents/dependencies/project.js'
import { openWorkingTree } from '../../agents/repository/working-tree.js'

export const lockVersions = [1, 2, 3] as const

export function fixtureFolder(version: (typeof lockVersions)[number]): string {
  return fileURLToPath(new URL(`../agents/fixtures/lock-v${version}`, import.meta.url))
}

/** The sample that `npm start` patches a copy of. */
export const shopFolder = fileURLToPath(new URL('../../examples/vulnerable-shop', import.meta.url))

export async function projectIn(folder: string): Promise<Project> {
  return readProject(await openWorkingTree(folder))
}
