/** How much an agent changed, as a semantic version. */
import type { ComponentDigests } from './registration.js'

export const firstVersion = '1.0.0'

/** The version after a change: prompt changed, or a tool removed or changed = major; a tool added = minor;
 * anything else (configuration, code, packages, scopes, key) = patch.
 * @param version `major.minor.patch`
 * @see PROTOCOL 2.3
 */
export function nextVersion(version: string, before: ComponentDigests, after: ComponentDigests): string {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number)
  const kept = Object.entries(before.tools).every(
    ([name, digest]) => Object.hasOwn(after.tools, name) && after.tools[name] === digest,
  )
  if (before.prompt !== after.prompt || !kept) return `${major + 1}.0.0`
  if (Object.keys(after.tools).length > Object.keys(before.tools).length) return `${major}.${minor + 1}.0`
  return `${major}.${minor}.${patch + 1}`
}
