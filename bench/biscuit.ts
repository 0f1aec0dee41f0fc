/**
 * Chains of 1 to 16 hops beside Biscuit tokens of as many blocks: verifying all of it, adding one, and what
 * each costs on the wire. Biscuit is Rust in WebAssembly; each block says what a hop of ours says of tools.
 */
import { Authorizer, Biscuit, BiscuitBuilder, BlockBuilder, KeyPair } from '@biscuit-auth/biscuit-wasm'
import { verifyChain } from '../runtime/delegation/verify-chain.js'
import type { Keyring } from '../runtime/keys/keyring.js'
import type { SigningKey } from '../runtime/keys/signing-key.js'
import { chainOf, hop, issuer } from './chain-of.js'
import { measure, printRatios } from './measure.js'

const lengths = [1, 2, 4, 8, 16]
const authority = 'right("repository/read", "/srv/shop"); initiator("os:1000");'
const block =
  'check if tool("repository/read"), path("/srv/shop"); check if time($t), $t < 2100-01-01T00:00:00Z;'
const call = 'tool("repository/read"); path("/srv/shop"); time(2026-11-24T00:00:00Z); allow if true;'

export async function benchBiscuit(keyring: Keyring): Promise<void> {
  const root = new KeyPair()
  for (const hops of lengths) {
    const signer = keyring.generate()
    const agents = Array.from({ length: hops + 2 }, () => keyring.generate())
    const chain = chainOf(signer, agents.slice(0, hops + 1))
    const now = Math.floor(Date.now() / 1000)
    const rules = { trustedKeys: [signer.publicKey], issuer, now, keyring }
    const bytes = biscuitOf(root, hops)
    const raw = rawVerifications(chain, signer, agents)

    const floor = { name: `${hops + 1} raw verifications (${keyring.backend})`, run: raw }
    const pace = { turns: 9, perTurn: 40, warmUp: 100 }
    // Apart, each with a floor of its own: what one leaves to the garbage collector, the other would pay for.
    const own = await measure(
      [
        floor,
        { name: 'Baton: verify the chain', run: () => verifyChain(chain, rules) },
        { name: 'Baton: derive one more hop', run: () => hop(chain, agents, hops + 1) },
      ],
      pace,
    )
    const other = await measure(
      [
        floor,
        { name: 'Biscuit: read and verify the blocks', run: () => freed(read(bytes, root)) },
        { name: 'Biscuit: the same, and authorize one call', run: () => authorize(bytes, root) },
        { name: 'Biscuit: append one more block', run: () => freed(append(read(bytes, root))) },
      ],
      pace,
    )
    const [ours, theirs] = [chain.join(', ').length, Math.ceil(bytes.length / 3) * 4]
    printRatios(`A root and ${hops} hops: ${ours} bytes, ${perHop(ours, hops)} per hop`, own)
    printRatios(
      `Biscuit, as many blocks: ${theirs} bytes in base64, ${perHop(theirs, hops)} per block`,
      other,
    )
  }
}

function perHop(bytes: number, hops: number): number {
  return Math.round(bytes / (hops + 1))
}

function rawVerifications(chain: readonly string[], root: SigningKey, agents: readonly SigningKey[]) {
  const signed = chain.map((token, index) => {
    const end = token.lastIndexOf('.')
    return {
      key: (index === 0 ? root : (agents[index - 1] as SigningKey)).publicKey,
      message: new TextEncoder().encode(token.slice(0, end)),
      signature: new Uint8Array(Buffer.from(token.slice(end + 1), 'base64url')),
    }
  })
  return () => {
    for (const { key, message, signature } of signed) key.verify(message, signature)
  }
}

function biscuitOf(root: KeyPair, blocks: number): Uint8Array {
  const builder = new BiscuitBuilder()
  builder.addCode(authority)
  let token = builder.build(root.getPrivateKey())
  for (let count = 0; count < blocks; count++) token = append(token)
  return token.toBytes()
}

function append(token: Biscuit): Biscuit {
  const builder = new BlockBuilder()
  builder.addCode(block)
  const longer = token.appendBlock(builder)
  token.free()
  return longer
}

function read(bytes: Uint8Array, root: KeyPair): Biscuit {
  return Biscuit.fromBytes(bytes, root.getPublicKey())
}

function authorize(bytes: Uint8Array, root: KeyPair): void {
  const token = read(bytes, root)
  const authorizer = new Authorizer()
  authorizer.addToken(token)
  authorizer.addCode(call)
  authorizer.authorizeWithLimits({ max_facts: 1000, max_iterations: 100, max_time_micro: 1_000_000 })
  authorizer.free()
  token.free()
}

/** Its memory is not the garbage collector's. */
function freed(token: Biscuit): void {
  token.free()
}
