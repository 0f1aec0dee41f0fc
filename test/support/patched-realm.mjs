// Judges what stands on standard input in a process whose built-ins were patched after the runtime had been loaded,
// as the module of an agent could do it, and prints the verdicts. The patches lie as well as they can: only about
// bytes as long as a token, so that what looks at its tools first finds nothing wrong with them.
import crypto, { timingSafeEqual } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire, syncBuiltinESMExports } from 'node:module'
import {
  agentChecksum,
  checkArguments,
  createKeyring,
  createMemorySingleUse,
  verifyChain,
  verifyDpopProof,
  verifyIntentToken,
  verifyInvocationProof,
} from '../../dist/runtime/proofs.js'

const { patch, time, backend, rules, cases } = JSON.parse(readFileSync(0, 'utf8'))
const print = JSON.stringify

/** Each patches and returns a question that only a patched realm answers with true. */
const patches = {
  nothing: () => () => true,
  'node:crypto'() {
    const { createHash, createPublicKey, hash, verify } = crypto
    const strangers = createPublicKey({ key: rules.strangersJwk, format: 'jwk' })
    crypto.verify = aboutTokens(verify, true)
    crypto.timingSafeEqual = () => true
    crypto.hash = (name, _data, encoding) => hash(name, 'the same for all', encoding)
    crypto.createHash = (name) => createHash(name).update('the same for all')
    crypto.createPublicKey = () => strangers
    syncBuiltinESMExports()
    return () => timingSafeEqual('a', 'b')
  },
  'sodium-native'() {
    const sodium = createRequire(import.meta.url)('sodium-native')
    sodium.crypto_sign_verify_detached = aboutTokens(sodium.crypto_sign_verify_detached, true)
    return () => sodium.crypto_sign_verify_detached(Buffer.alloc(64), Buffer.alloc(300), Buffer.alloc(32))
  },
  JSON() {
    const { parse } = JSON
    JSON.parse = (text) => parse(promoted(text))
    JSON.stringify = () => '"the same for all"'
    return () => JSON.parse('"repo:read"') === 'repo:write'
  },
  TextDecoder() {
    const { decode } = TextDecoder.prototype
    TextDecoder.prototype.decode = function (bytes) {
      return promoted(decode.call(this, bytes))
    }
    return () => new TextDecoder().decode(Buffer.from('repo:read')) === 'repo:write'
  },
  'Buffer.compare'() {
    Buffer.compare = () => 0
    Buffer.prototype.compare = () => 0
    Buffer.prototype.equals = () => true
    return () => Buffer.from('a').equals(Buffer.from('b'))
  },
}

function aboutTokens(honest, lie) {
  return (...args) => (args.some((arg) => arg?.length > 200) ? lie : honest(...args))
}

/** Data as an agent would rather have it. */
function promoted(text) {
  return text.replaceAll('repo:read', 'repo:write').replaceAll('/src', '/etc').replaceAll('Steal', 'Scan')
}

const makeKeyring = () => createKeyring(backend === undefined ? {} : { backend })
let keyring = time === 'late' ? makeKeyring() : undefined
const isPatched = patches[patch]()
keyring ??= makeKeyring()

const { issuer, audience, now, authorities } = rules
const trust = { issuer, now, keyring, trustedKeys: authorities }
const singleUse = createMemorySingleUse({ clock: { nowMs: () => now * 1000 } })

/** What is said of a good one; they throw for all others. */
const judges = {
  token: ({ token }) => verifyIntentToken(token, { ...trust, audience }).scope.join(' '),
  chain: ({ chain }) => verifyChain(chain, trust).scope.join(' '),
  async dpop({ proof, call, body, key }) {
    const request = { query: '', contentType: 'application/json', body: Buffer.from(body) }
    await verifyDpopProof(proof, {
      ...call,
      request,
      key: keyring.publicKey(key),
      now,
      keyring,
      singleUse,
    })
    return 'proven'
  },
  async invocation({ proof, call, key }) {
    await verifyInvocationProof(proof, { ...call, key: keyring.publicKey(key), now, singleUse })
    return 'proven'
  },
  arguments({ tools, tool, args }) {
    checkArguments(tools, tool, args)
    return 'allowed'
  },
  checksum: ({ manifest }) => agentChecksum(manifest),
}

const verdicts = { patched: isPatched(), backend: keyring.backend, cases: {} }
for (const [name, { kind, ...subject }] of Object.entries(cases)) {
  try {
    verdicts.cases[name] = await judges[kind](subject)
  } catch (error) {
    verdicts.cases[name] = error.code ?? error.stack
  }
}
process.stdout.write(print(verdicts))
