/**
 * Extension `url` {`scheme`, `host` or `host_suffix`, `port`, `path`?}: the argument is a URL within. A URL
 * is accepted only when every reader must read it as this one does: what parsers are known to disagree
 * about is refused, not repaired. The tool uses the parsed `href` and follows no redirect with a token.
 */
import { domainToASCII, domainToUnicode } from 'node:url'
import type { JsonObject } from '../encoding/canonical-json.js'
import { AgenticError } from '../errors.js'
import { startsWithSegments } from './constraint-path.js'

/** Exactly one of `host` (equal) and `host_suffix` (equal, or ending in `.` + it); `path` is by whole segments. */
export interface UrlRule {
  readonly scheme: 'https' | 'http' | 'wss' | 'ws'
  readonly host?: string
  readonly host_suffix?: string
  readonly port: number
  readonly path?: string
}

export const urlMembers: readonly string[] = ['scheme', 'host', 'host_suffix', 'port', 'path']

// Taken once: a later patch of node:url does not change what is read.
const [toAscii, toUnicode] = [domainToASCII, domainToUnicode]
const defaultPorts = { https: 443, http: 80, wss: 443, ws: 80 } as const
const hostName =
  /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/
/** Scheme, host (in brackets when IPv6), port, path, query: printable ASCII, no user info, no `\`, no `#`. */
const plainUrl =
  /^([a-z]+):\/\/([a-z0-9.-]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?(\/[^?#]*)?(?:\?[!"$-[\]-~]*)?$/

/** @throws AgenticError ERR_CONSTRAINT_INVALID */
export function parseUrlRule(value: JsonObject): UrlRule {
  const { scheme, host, host_suffix, port, path } = value
  if (!isScheme(scheme)) throw invalid('"scheme" must be https, http, wss or ws')
  if (typeof port !== 'number' || !Number.isInteger(port) || port < 1 || port > 65535) {
    throw invalid('"port" must be a whole number from 1 to 65535')
  }
  if (path !== undefined && !isRulePath(path)) throw invalid('"path" must be a plain absolute path')
  const rest = { scheme, port, ...(path !== undefined && { path }) }
  if (typeof host === 'string' && host_suffix === undefined) {
    if (!isCanonicalHost(host))
      throw invalid('"host" must be a lower-case a-label name or a canonical IP address')
    return { ...rest, host }
  }
  if (typeof host_suffix === 'string' && host === undefined) {
    if (!isHostName(host_suffix) || isAddress(host_suffix)) {
      throw invalid('"host_suffix" must be a lower-case a-label name without leading or trailing dot')
    }
    return { ...rest, host_suffix }
  }
  throw invalid('expected exactly one of "host" and "host_suffix"')
}

/** True when the text is a URL within the rule, read the same by every parser. */
export function isUrlWithin(text: unknown, rule: UrlRule): text is string {
  const parts = typeof text === 'string' ? plainUrl.exec(text) : null
  if (!parts) return false
  const [href = '', scheme, host = '', port, path = '/'] = parts
  if (scheme !== rule.scheme || !isCanonicalHost(host) || !isPlainUrlPath(path)) return false
  if (port !== undefined && String(Number(port)) !== port) return false
  if ((port === undefined ? defaultPorts[rule.scheme] : Number(port)) !== rule.port) return false
  if (!hostAllowed(host, rule) || !startsWithSegments(path, rule.path ?? '/')) return false
  return agreesWithParser(href, host, path)
}

/** True when every URL within the child is within the parent. */
export function urlRuleSubsumes(parent: UrlRule, child: UrlRule): boolean {
  if (parent.scheme !== child.scheme || parent.port !== child.port) return false
  if (!startsWithSegments(child.path ?? '/', parent.path ?? '/')) return false
  if (child.host !== undefined) return hostAllowed(child.host, parent)
  return child.host_suffix !== undefined && parent.host_suffix !== undefined
    ? hasSuffix(child.host_suffix, parent.host_suffix)
    : false
}

/** A suffix ends in a name (parseUrlRule), so no address ends in a suffix. */
function hostAllowed(host: string, rule: UrlRule): boolean {
  if (rule.host !== undefined) return host === rule.host
  return rule.host_suffix !== undefined && hasSuffix(host, rule.host_suffix)
}

function hasSuffix(host: string, suffix: string): boolean {
  return host === suffix || host.endsWith(`.${suffix}`)
}

/** Lower-case a-labels without trailing dot, or an IP address exactly as the URL standard prints it. */
function isCanonicalHost(host: string): boolean {
  if (!isAddress(host)) return isHostName(host)
  const parsed = parse(`http://${host}/`)
  return parsed !== undefined && parsed.hostname === host
}

/** Each a-label must spell a name, and be the one spelling of it: Node 24 lets `xn--a` pass that Node 22 refuses. */
function isHostName(host: string): boolean {
  if (!hostName.test(host)) return false
  if (!host.includes('xn--')) return true
  const name = toUnicode(host)
  return name.split('.').every((label) => !label.startsWith('xn--')) && toAscii(name) === host
}

/** The URL standard reads a host whose last label is numeric (also `0x7f`) as an IPv4 address. */
function isAddress(host: string): boolean {
  return host.startsWith('[') || /(?:^|\.)(?:[0-9]+|0x[0-9a-f]*)\.?$/.test(host)
}

function isRulePath(path: unknown): path is string {
  return typeof path === 'string' && isPlainUrlPath(path) && (path === '/' || !path.endsWith('/'))
}

/** Refused: `//`, `;`, dot segments, and what a server may decode into a separator, a dot segment or a control. */
function isPlainUrlPath(path: string): boolean {
  if (!/^\/(?:[A-Za-z0-9\-._~!$&'()*+,=:@/]|%[0-9A-Fa-f]{2})*$/.test(path)) return false
  if (path.includes('//') || /%(?:2[ef]|5c|25|[01][0-9a-f]|7f|3b)/i.test(path)) return false
  return path.split('/').every(isName) && (!path.includes('%') || decodesPlainly(path))
}

function isName(segment: string): boolean {
  return segment !== '.' && segment !== '..'
}

/** What is encoded must be UTF-8, since `%c0%af` is a separator to who decodes without asking; and have the same
 * segments to who folds compatibility forms, such as U+FF0F, which is `/` then, or U+2025, which is `..`. */
function decodesPlainly(path: string): boolean {
  try {
    const folded = decodeURIComponent(path).normalize('NFKC')
    const segments = folded.split('/')
    return segments.length === path.split('/').length && segments.every(isName) && !/[\\;%]/.test(folded)
  } catch {
    return false
  }
}

/** The pattern above and the platform's parser must have read the same host and path. */
function agreesWithParser(href: string, host: string, path: string): boolean {
  const parsed = parse(href)
  return (
    parsed !== undefined && parsed.hostname === host && parsed.pathname === path && parsed.username === ''
  )
}

function parse(text: string): URL | undefined {
  try {
    return new URL(text)
  } catch {
    return undefined
  }
}

function isScheme(scheme: unknown): scheme is UrlRule['scheme'] {
  return typeof scheme === 'string' && Object.hasOwn(defaultPorts, scheme)
}

function invalid(what: string): AgenticError {
  return new AgenticError('ERR_CONSTRAINT_INVALID', `url: ${what}`)
}
