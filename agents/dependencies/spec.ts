/** A declared dependency's text, as npm reads it (npm-package-arg), as far as it names registry versions. */
import semver from 'semver'

export type Spec =
  /** A semver range of the registry's package `name`; `alias` when the text was `npm:name@range`. */
  | { readonly kind: 'range'; readonly name: string; readonly range: string; readonly alias: boolean }
  /** A dist-tag (`latest`): the registry decides. */
  | { readonly kind: 'tag' }
  | { readonly kind: 'workspace' | 'git' | 'file' | 'tarball' }

/** @param key the name under which it is declared; the package's own name unless the text is an alias */
export function parseSpec(key: string, text: string): Spec {
  const spec = text.trim()
  if (spec.startsWith('npm:')) return parseAlias(spec.slice(4))
  if (spec.startsWith('workspace:')) return { kind: 'workspace' }
  if (/^(?:file|link|portal):/.test(spec) || /^(?:\.{1,2}(?:[/\\]|$)|\/|~\/|[A-Za-z]:[/\\])/.test(spec))
    return { kind: 'file' }
  if (/^(?:git|git\+[a-z]+|ssh|github|gitlab|bitbucket|gist):/.test(spec) || /^[^@\s/]+@[^:\s]+:/.test(spec))
    return { kind: 'git' }
  if (/^https?:/.test(spec)) return { kind: /\.git(?:#|$)/.test(spec) ? 'git' : 'tarball' }
  if (semver.validRange(spec, true) !== null) return { kind: 'range', name: key, range: spec, alias: false }
  if (/\.(?:tgz|tar|tar\.gz)$/i.test(spec)) return { kind: 'file' }
  if (/^[\w.-]+\/[\w.-]+(?:#.*)?$/.test(spec)) return { kind: 'git' }
  return { kind: 'tag' }
}

function parseAlias(target: string): Spec {
  const at = target.indexOf('@', 1)
  const name = at === -1 ? target : target.slice(0, at)
  const range = at === -1 ? '' : target.slice(at + 1).trim()
  if (name === '' || semver.validRange(range, true) === null) return { kind: 'tag' }
  return { kind: 'range', name, range, alias: true }
}

/** The same declaration with another range: `npm:name@` is kept. */
export function withRange(spec: Extract<Spec, { kind: 'range' }>, range: string): string {
  return spec.alias ? `npm:${spec.name}@${range}` : range
}
