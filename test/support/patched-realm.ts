/**
 * Good and forged tokens, chains, proofs and manifests, judged in a process of their own whose built-ins were patched
 * after the runtime had been loaded.
 */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { nowSeconds } from '../../runtime/clock.js'
import { agentChecksum } from '../../runtime/identity/checksum.js'
import type { BackendName } from '../../runtime/keys/ed25519.js'
import { createDpopProof } from '../../runtime/tokens/dpop-proof.js'
import { mintIntentToken } from '../../runtime/tokens/intent-token.js'
import { createInvocationProof } from '../../runtime/tokens/invocation-proof.js'
import { chainOf, chainTools, hopToken, rootToken } from './chain-builder.js'
import { ended } from './cli.js'
import { fakeClock } from './fake-clock.js'
import { fixedKey, keyring } from './fixed-keys.js'
import { changed, claimsOf, forge } from './forger.js'
import { audience, intentClaims, issuer } from './intent-claims.js'

export interface Realm {
  /** One of those in patched-realm.mjs. */
  readonly patch: string
  /** `late`: the keyring was there before the patch. `early`: it is made after it. */
  readonly time: 'late' | 'early'
  readonly backend?: BackendName
}

export interface Verdicts {
  /** Whether the patch is in force. */
  readonly patched: boolean
  readonly backend: BackendName
  /** What was found, or the code of the refusal. */
  readonly cases: Readonly<Record<string, string>>
}

const clock = fakeClock()
const now = nowSeconds(clock)
const [authority, stranger, scanner] = [fixedKey('authority'), fixedKey('stranger'), fixedKey('scanner')]
const es256 = keyring.es256FromSeed(new Uint8Array(48).fill(9))

const { token } = mintIntentToken(intentClaims(), authority, { clock })
const header = { typ: 'at+jwt', kid: authority.publicKey.thumbprint }
const es256Header = { alg: 'ES256', typ: 'at+jwt', kid: es256.publicKey.thumbprint }

/** The token with other claims under its old signature. */
function patchedUp(changes: Record<string, unknown>): string {
  const [first, , signature] = token.split('.')
  const claims = Buffer.from(JSON.stringify(changed(claimsOf(token), changes)))
  return `${first}.${claims.toString('base64url')}.${signature}`
}

const chain = chainOf(3)
const [root = '', middle = '', leaf = ''] = chain
const leafTools = (tools: object) => [{ type: 'attenuating_agent_token', tools }]

const body = '{"path":"package.json"}'
const call = { method: 'POST', url: `${audience}/files`, accessToken: token }
const request = { query: '', contentType: 'application/json', body: new TextEncoder().encode(body) }
function dpop(key = scanner, changes: object = {}) {
  const proof = createDpopProof({ ...call, request, ...changes }, key, { clock })
  return { kind: 'dpop', proof, call, body, key: scanner.publicKey.jwk }
}
const proven = dpop()

const invocation = {
  leafId: 'hop-2',
  tool: 'repo/read',
  audience: 'urn:tools',
  args: { path: '/src/a' },
  accessToken: token,
}
function invoked(key = scanner, changes: object = {}) {
  const proof = createInvocationProof({ ...invocation, ...changes }, key, { clock })
  return { kind: 'invocation', proof, call: invocation, key: scanner.publicKey.jwk }
}

const manifest = { agent_id: 'scanner', prompt_template: 'Scan.\n"all"', tools: [], configuration: {} }
const other = { ...manifest, prompt_template: 'Steal.\n"all"' }
const asked = { kind: 'arguments', tools: chainTools, tool: 'repo/read', args: { path: '/src/a' } }

/** What each is, and what must be said of it in whatever realm. */
const judged: readonly (readonly [name: string, subject: object, verdict: string])[] = [
  ['a token', { kind: 'token', token }, 'repo:read'],
  [
    'a token signed by a stranger',
    { kind: 'token', token: forge(header, claimsOf(token), stranger) },
    'ERR_SIGNATURE_INVALID',
  ],
  [
    'a token with another scope',
    { kind: 'token', token: patchedUp({ scope: 'repo:write' }) },
    'ERR_SIGNATURE_INVALID',
  ],
  [
    'a token whose key is not the one it names',
    { kind: 'token', token: forge(header, withKeyOf(stranger), authority) },
    'ERR_CLAIM_INVALID',
  ],
  [
    'a token by an authority with ES256',
    { kind: 'token', token: forge(es256Header, claimsOf(token), es256) },
    'repo:read',
  ],
  [
    'a token signed by a stranger in its name',
    { kind: 'token', token: forge(es256Header, claimsOf(token), stranger) },
    'ERR_SIGNATURE_INVALID',
  ],
  ['a chain', { kind: 'chain', chain }, 'repo:read repo:write'],
  [
    'a chain with a hop signed by a stranger',
    { kind: 'chain', chain: [root, middle, hopToken(middle, 2, {}, stranger)] },
    'ERR_SIGNATURE_INVALID',
  ],
  [
    'a chain under another root',
    { kind: 'chain', chain: [rootToken({ jti: 'hop-x' }), middle, leaf] },
    'ERR_CHAIN_LINK',
  ],
  [
    'a chain that gains a scope',
    { kind: 'chain', chain: chainOf(3, { 2: { scope: 'repo:read repo:own' } }) },
    'ERR_CHAIN_SCOPE_WIDENED',
  ],
  [
    'a chain that gains a tool',
    {
      kind: 'chain',
      chain: chainOf(3, { 2: { authorization_details: leafTools({ ...chainTools, 'repo/own': {} }) } }),
    },
    'ERR_CHAIN_TOOL_WIDENED',
  ],
  ['a proof', proven, 'proven'],
  ['the same proof again', proven, 'ERR_PROOF_REPLAYED'],
  ['a proof by another key', dpop(stranger), 'ERR_PROOF_KEY'],
  ['a proof for another token', dpop(scanner, { accessToken: 'a.b.c' }), 'ERR_PROOF_TOKEN'],
  ['a proof over another body', { ...dpop(), body: '{"path":"passwd"}' }, 'ERR_PROOF_REQUEST'],
  ['an invocation', invoked(), 'proven'],
  ['an invocation by another key', invoked(stranger), 'ERR_SIGNATURE_INVALID'],
  [
    'an invocation with other arguments',
    invoked(scanner, { args: { path: '/src/b' } }),
    'ERR_PROOF_ARGUMENTS',
  ],
  ['arguments', asked, 'allowed'],
  ['arguments outside the grant', { ...asked, args: { path: '/etc/a' } }, 'ERR_ARGUMENT_REFUSED'],
  ['a tool outside the grant', { ...asked, tool: 'repo/own' }, 'ERR_TOOL_NOT_GRANTED'],
  ['a manifest', { kind: 'checksum', manifest }, agentChecksum(manifest)],
  ['another manifest', { kind: 'checksum', manifest: other }, agentChecksum(other)],
]

function withKeyOf(key: typeof stranger): object {
  return changed(claimsOf(token), { 'cnf.jwk': { ...key.publicKey.jwk } })
}

/** What is said in a realm that nobody patched. */
export const honestVerdicts = Object.fromEntries(judged.map(([name, , verdict]) => [name, verdict]))

export function verdictsIn(realm: Realm): Promise<Verdicts> {
  const authorities = [authority.publicKey.jwk, es256.publicKey.jwk]
  const rules = { issuer, audience, now, authorities, strangersJwk: stranger.publicKey.jwk }
  const cases = Object.fromEntries(judged.map(([name, subject]) => [name, subject]))
  return answerOf('patched-realm.mjs', { ...realm, rules, cases })
}

/** What comes of patched-run.mjs. */
export function patchedRun(): Promise<unknown> {
  return answerOf('patched-run.mjs', {})
}

/** What one of the programs beside this file prints, in a process of its own. */
async function answerOf<T>(program: string, question: object): Promise<T> {
  const script = fileURLToPath(new URL(program, import.meta.url))
  const child = spawn(process.execPath, [script], { stdio: 'pipe' })
  child.stdin.on('error', () => undefined) // it may end without having read
  child.stdin.end(JSON.stringify(question))
  const { code, stdout, stderr } = await ended(child)
  if (code !== 0) throw new Error(`${program} ended with ${code}: ${stderr}`)
  return JSON.parse(stdout) as T
}
