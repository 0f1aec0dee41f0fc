/**
 * Verifying a delegation chain of a root and five hops: anew, and with all but the leaf remembered,
 * beside the raw signature checks it cannot do without, and beside jose and fast-jwt checking the six
 * signatures.
 */
import { importJWK, jwtVerify } from 'jose'
import { createLinkCache } from '../runtime/delegation/verified-links.js'
import { type ChainRules, verifyChain } from '../runtime/delegation/verify-chain.js'
import type { Keyring } from '../runtime/keys/keyring.js'
import type { SigningKey } from '../runtime/keys/signing-key.js'
import { chainOf, hop, issuer } from './chain-of.js'
import { fastJwtPair } from './fast-jwt.js'
import { measure, printRatios } from './measure.js'

const hops = 5
const freshLeaves = 4000

export async function benchChain(keyring: Keyring): Promise<void> {
  const authority = keyring.generate()
  const agents = Array.from({ length: hops + 1 }, () => keyring.generate())
  const chain = chainOf(authority, agents)
  const prefix = chain.slice(0, -1)
  const leaves = Array.from({ length: freshLeaves }, () => hop(prefix, agents, hops))
  const rules = (): ChainRules => ({
    trustedKeys: [authority.publicKey],
    issuer,
    now: Math.floor(Date.now() / 1000),
    keyring,
  })
  const cache = createLinkCache(2 * freshLeaves)
  verifyChain(prefix, { ...rules(), cache })

  const signed = chain.map((token, index) => ({
    key: index === 0 ? authority.publicKey : (agents[index - 1] as SigningKey).publicKey,
    message: new TextEncoder().encode(token.slice(0, token.lastIndexOf('.'))),
    signature: new Uint8Array(Buffer.from(token.slice(token.lastIndexOf('.') + 1), 'base64url')),
  }))
  const rawVerify = ({ key, message, signature }: (typeof signed)[number]) => key.verify(message, signature)

  printRatios(
    `Chain of a root and ${hops} hops, first verification (${chain.join(', ').length} bytes)`,
    await measure([
      { name: `six raw verifications (${keyring.backend})`, run: () => signed.forEach(rawVerify) },
      { name: 'Baton', run: () => verifyChain(chain, rules()) },
      { name: 'jose, signatures only, awaited', run: await joseContender(chain, authority, agents) },
      { name: 'fast-jwt, signatures only', run: fastJwtContender(chain) },
    ]),
  )
  printRatios(
    'The same chain with a fresh leaf on a remembered prefix',
    await measure(
      [
        {
          name: `one raw verification (${keyring.backend})`,
          run: () => rawVerify(signed[hops] as (typeof signed)[number]),
        },
        {
          name: 'Baton',
          run: (index) =>
            verifyChain([...prefix, leaves[index % freshLeaves] as string], { ...rules(), cache }),
        },
      ],
      { turns: 15, perTurn: 200, warmUp: 200 },
    ),
  )
}

async function joseContender(chain: readonly string[], authority: SigningKey, agents: readonly SigningKey[]) {
  const signers = [authority, ...agents]
  const keys = await Promise.all(signers.map((signer) => importJWK({ ...signer.publicKey.jwk }, 'Ed25519')))
  return async () => {
    for (const [index, token] of chain.entries()) {
      await jwtVerify(token, keys[index] as CryptoKey, { typ: 'delegation+jwt', algorithms: ['Ed25519'] })
    }
  }
}

/** The same claims, signed again by keys of its own, since it does not verify what is signed as `Ed25519`. */
function fastJwtContender(chain: readonly string[]) {
  const links = chain.map((token) => {
    const pair = fastJwtPair({ typ: 'delegation+jwt' })
    return { pair, token: pair.sign(JSON.parse(payloadOf(token)) as object) }
  })
  return () => {
    for (const { pair, token } of links) pair.verify(token)
  }
}

function payloadOf(token: string): string {
  return Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()
}
