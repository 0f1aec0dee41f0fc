/** Adding and rotating keys of a registration (PROTOCOL 2.3, 3). */

import { describe, expect, it, vi } from 'vitest'
import { AgenticError } from '../../runtime/errors.js'
import {
  type AddKeyRequest,
  addKey,
  maxCountingKeys,
  maxOverlapSeconds,
  rotateKey,
} from '../../runtime/identity/add-key.js'
import { registerAgent } from '../../runtime/identity/register.js'
import type { RegisteredKey } from '../../runtime/identity/registration.js'
import { countingKeys, newestKey } from '../../runtime/identity/registration-keys.js'
import { type KeyProofSubject, signKeyProof } from '../../runtime/keys/key-proof.js'
import type { SigningKey } from '../../runtime/keys/signing-key.js'
import { attack } from '../support/attack.js'
import { registrationRow } from '../support/execution-rows.js'
import { expectCode } from '../support/expect-code.js'
import { fakeClock } from '../support/fake-clock.js'
import { fixedKey, keyring, smallOrderJwk } from '../support/fixed-keys.js'
import { issuer } from '../support/intent-claims.js'
import { memoryRegistrations } from '../support/memory-registrations.js'
import { derived, keyFor, liveScanner, registering } from '../support/registering.js'

const start = Date.UTC(2026, 0, 1) / 1000

/** A registered agent, and requests for its next key that are right in everything but what is changed. */
async function registered(mode: RegisteredKey['mode'] = 'derived') {
  const store = memoryRegistrations()
  const clock = fakeClock()
  const agent = await liveScanner()
  const worker = fixedKey('worker 0')
  const subject0 = { issuer, agentId: 'scanner', agentChecksum: agent.checksum(), epoch: 0 }
  const key =
    mode === 'derived'
      ? derived
      : ({
          mode,
          key: worker.publicKey,
          proof: signKeyProof({ ...subject0, key: worker.publicKey }, worker, { clock }),
          issuer,
        } as const)
  const { registration } = await registerAgent(agent, registering(store, { clock, key }))
  const old = mode === 'derived' ? keyFor('scanner', agent.checksum(), 0) : worker
  const deps = { store, keyring, issuer, clock }
  const add = (request: AddKeyRequest) => addKey(request, deps)

  /** @param about what the proofs say instead of the truth; @param signers who signs them */
  function request(
    next: SigningKey,
    changes: Partial<AddKeyRequest> = {},
    about: Partial<KeyProofSubject> = {},
    signers: { proof?: SigningKey; oldProof?: SigningKey } = {},
  ): AddKeyRequest {
    const subject = { ...subject0, epoch: 1, key: next.publicKey, ...about }
    return {
      registrationId: registration.registrationId,
      clientId: 'runtime',
      jwk: next.publicKey.jwk,
      mode,
      proof: signKeyProof(subject, signers.proof ?? next, { clock }),
      ...(mode === 'derived' && { oldProof: signKeyProof(subject, signers.oldProof ?? old, { clock }) }),
      overlapSeconds: 600,
      ...changes,
    }
  }
  return { store, clock, agent, registration, add, request, deps, old }
}

describe('addKey', () => {
  it('makes the new key the newest, and ends the old one after the overlap', async () => {
    const { add, request, registration, store } = await registered()
    const next = fixedKey('next')
    const changed = await add(request(next))
    const [first] = registration.keys
    expect(changed.keys).toEqual([
      { ...first, notAfter: start + 600 },
      { kid: next.publicKey.thumbprint, jwk: next.publicKey.jwk, epoch: 1, mode: 'derived' },
    ])
    expect(await store.byId(registration.registrationId)).toEqual(changed)
    expect(newestKey(changed).kid).toBe(next.publicKey.thumbprint)
    expect(countingKeys(changed, start + 599)).toHaveLength(2)
    expect(countingKeys(changed, start + 600).map(({ epoch }) => epoch)).toEqual([1])
  })

  attack('X17', 'is the owner’s alone, whatever proofs a stranger brings', async () => {
    const { add, request, store, registration } = await registered()
    const next = fixedKey('next')
    await expectCode(add(request(next, { clientId: 'mallory' })), 'ERR_AGENT_OWNER')
    await expectCode(add(request(next, { registrationId: 'nothing' })), 'ERR_AGENT_UNKNOWN')
    expect(await store.byId(registration.registrationId)).toEqual(registration)
    await add(request(next))
  })

  const mallory = fixedKey('mallory')
  const wrong: [what: string, code: Parameters<typeof expectCode>[1], about: Partial<KeyProofSubject>][] = [
    ['another issuer', 'ERR_KEY_PROOF_ISSUER', { issuer: 'https://other.example' }],
    ['another agent', 'ERR_KEY_PROOF_AGENT', { agentId: 'planner' }],
    ['another version of the agent', 'ERR_KEY_PROOF_CHECKSUM', { agentChecksum: `sha256:${'0'.repeat(64)}` }],
    ['an epoch that is taken', 'ERR_KEY_PROOF_EPOCH', { epoch: 0 }],
    ['an epoch further on', 'ERR_KEY_PROOF_EPOCH', { epoch: 2 }],
    ['another key', 'ERR_KEY_PROOF_KEY', { key: mallory.publicKey }],
  ]
  for (const [what, code, about] of wrong) {
    attack('T1', `needs a proof by the new key, and not for ${what}`, async () => {
      const { add, request } = await registered()
      const next = fixedKey('next')
      const { proof } = request(next)
      const forged = request(next, {}, about)
      await expectCode(add(forged), code)
      // Neither does the old key's word count for something else.
      await expectCode(add({ ...forged, proof }), code)
      await add(request(next))
    })
  }

  attack('T1', 'needs the new key itself: nobody registers a key that he only knows of', async () => {
    const { add, request } = await registered()
    const theirs = fixedKey('somebody else')
    const made = request(theirs, {}, {}, { proof: mallory })
    await expectCode(add(made), 'ERR_SIGNATURE_INVALID')
    await add(request(theirs))
  })

  attack('X17', 'needs the word of an old key where keys are derived, also to become attested', async () => {
    const { add, request, clock } = await registered()
    const next = fixedKey('next')
    const { oldProof: _, ...without } = request(next)
    for (const mode of ['derived', 'attested'] as const) {
      await expectCode(add({ ...without, mode }), 'ERR_KEY_PROOF_PREDECESSOR')
      const byNew = request(next, { mode }, {}, { oldProof: next })
      await expectCode(add(byNew), 'ERR_KEY_PROOF_PREDECESSOR')
    }
    clock.advanceSeconds(31)
    await expectCode(add({ ...request(next), oldProof: request(next).proof }), 'ERR_KEY_PROOF_PREDECESSOR')
    expect((await add(request(next, { mode: 'attested' }))).keys.at(-1)?.mode).toBe('attested')
  })

  attack('T2', 'takes no proof of yesterday', async () => {
    const { add, request, clock } = await registered()
    const next = fixedKey('next')
    const [stale, staleOld] = [request(next).proof, request(next).oldProof ?? '']
    clock.advanceSeconds(31)
    await expectCode(add({ ...request(next), proof: stale }), 'ERR_PROOF_STALE')
    await expectCode(add({ ...request(next), oldProof: staleOld }), 'ERR_PROOF_STALE')
    await add(request(next))
  })

  attack('T2', 'takes a proof once: the epoch it names is gone then', async () => {
    const { add, request } = await registered()
    const made = request(fixedKey('next'))
    await add(made)
    await expectCode(add(made), 'ERR_KEY_REGISTERED')
    const other = fixedKey('other')
    await expectCode(add(request(other)), 'ERR_KEY_PROOF_EPOCH')
    await add(request(other, {}, { epoch: 2 }))
  })

  it('lets an attested key follow without its predecessor, which may be lost with its machine', async () => {
    const { add, request, registration } = await registered('attested')
    expect(registration.keys.map(({ mode }) => mode)).toEqual(['attested'])
    const changed = await add(request(fixedKey('worker 1'), { overlapSeconds: 0 }))
    expect(countingKeys(changed, start).map(({ epoch }) => epoch)).toEqual([1])
    // Into derived it does not: the master's keys need the word of what was there.
    const derivedNext = request(fixedKey('d'), { mode: 'derived' }, { epoch: 2 })
    await expectCode(add(derivedNext), 'ERR_KEY_PROOF_PREDECESSOR')
  })

  attack('X17', 'does not let a key agree that was rotated out, or bring it back', async () => {
    const { add, request, clock, old } = await registered()
    const [one, two] = [fixedKey('one'), fixedKey('two')]
    await add(request(one))
    clock.advanceSeconds(600)
    await expectCode(add(request(two, {}, { epoch: 2 }, { oldProof: old })), 'ERR_KEY_PROOF_PREDECESSOR')
    const back = request(old, {}, { epoch: 2 }, { oldProof: one })
    await expectCode(add(back), 'ERR_KEY_REGISTERED')
    await add(request(two, {}, { epoch: 2 }, { oldProof: one }))
  })

  it('lets an old key agree while its overlap lasts, and prolongs none', async () => {
    const { add, request, clock, old } = await registered()
    await add(request(fixedKey('one'), { overlapSeconds: 60 }))
    clock.advanceSeconds(59)
    const late = request(fixedKey('two'), { overlapSeconds: 600 }, { epoch: 2 }, { oldProof: old })
    const { keys } = await add(late)
    expect(keys.map(({ notAfter }) => notAfter)).toEqual([start + 60, start + 59 + 600, undefined])
  })

  attack('X9', 'refuses keys of small order and what is no key', async () => {
    const { add, request } = await registered()
    const next = fixedKey('next')
    await expectCode(add(request(next, { jwk: smallOrderJwk })), 'ERR_KEY_SMALL_ORDER')
    await expectCode(add(request(next, { jwk: { ...next.publicKey.jwk, d: 'x' } })), 'ERR_KEY_INVALID')
    await add(request(next))
  })

  attack('X13', 'gives no key to what is revoked or superseded', async () => {
    for (const [status, code] of [
      ['revoked', 'ERR_AGENT_REVOKED'],
      ['updated', 'ERR_AGENT_SUPERSEDED'],
    ] as const) {
      const { add, request, store, registration, clock } = await registered()
      if (status === 'revoked') await store.revoke(registration.registrationId)
      else {
        const options = registering(store, { clock, acceptChanges: true })
        await registerAgent(await liveScanner({ prompt: 'Else.' }), options)
      }
      await expectCode(add(request(fixedKey('next'))), code)
      expect(await store.byId(registration.registrationId)).toMatchObject({ keys: registration.keys })
    }
  })

  attack('X14', 'keeps few keys at once', async () => {
    const { add, request, store, registration } = await registered('attested')
    for (let epoch = 1; epoch < maxCountingKeys; epoch++) {
      await add(request(fixedKey(`worker ${epoch}`), {}, { epoch }))
    }
    const last = request(fixedKey('last'), {}, { epoch: maxCountingKeys })
    await expectCode(add(last), 'ERR_KEY_LIMIT')
    await store.setKeys(registration.registrationId, ({ keys }) =>
      keys.map((key, index) => (index === 0 ? { ...key, notAfter: start } : key)),
    )
    await add(last)
  })

  it('of two at once lets one in', async () => {
    const { add, request } = await registered()
    const outcomes = await Promise.allSettled([add(request(fixedKey('a'))), add(request(fixedKey('b')))])
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected'])
    expect(outcomes[1]).toMatchObject({ reason: { code: 'ERR_KEY_PROOF_EPOCH' } })
  })

  it('refuses an overlap that is none', async () => {
    const { add, request } = await registered()
    for (const overlapSeconds of [-1, 0.5, Number.NaN, maxOverlapSeconds + 1]) {
      await expect(add(request(fixedKey('next'), { overlapSeconds }))).rejects.toThrow(TypeError)
    }
    await add(request(fixedKey('next'), { overlapSeconds: maxOverlapSeconds }))
  })
})

describe('rotateKey', () => {
  it('moves a derived key on by one epoch, again and again', async () => {
    const { deps, registration, agent, clock } = await registered()
    const rotation = {
      registrationId: registration.registrationId,
      clientId: 'runtime',
      overlapSeconds: 60,
    }
    for (const epoch of [1, 2]) {
      const { keys } = await rotateKey(rotation, { ...deps, keyFor })
      expect(keys.at(-1)).toMatchObject({
        epoch,
        kid: keyFor('scanner', agent.checksum(), epoch).publicKey.thumbprint,
      })
    }
    await expectCode(rotateKey({ ...rotation, clientId: 'mallory' }, { ...deps, keyFor }), 'ERR_AGENT_OWNER')
    await expectCode(
      rotateKey({ ...rotation, registrationId: 'nothing' }, { ...deps, keyFor }),
      'ERR_AGENT_UNKNOWN',
    )
    // Registered again it is the same, by its newest key.
    const again = await registerAgent(agent, registering(deps.store, { clock }))
    expect(again.outcome).toBe('unchanged')
  })

  attack('T1', 'is for who can derive the keys', async () => {
    const { deps, registration } = await registered()
    const rotation = {
      registrationId: registration.registrationId,
      clientId: 'runtime',
      overlapSeconds: 60,
    }
    const otherMaster = (agentId: string, checksum: string, epoch: number) =>
      fixedKey(`other master ${agentId} ${checksum} ${epoch}`)
    const options = { ...deps, keyFor: otherMaster }
    await expectCode(rotateKey(rotation, options), 'ERR_KEY_PROOF_PREDECESSOR')
  })
})

describe('a rotated key', () => {
  it('is recorded before it is stored, and what cannot be recorded is not stored', async () => {
    const { deps, registration, agent } = await registered()
    const { registrationId } = registration
    const rotation = { registrationId, clientId: 'runtime', overlapSeconds: 60 }
    const record = async () => {
      throw new AgenticError('ERR_AUDIT_WRITE', 'the disk is full')
    }
    await expectCode(rotateKey(rotation, { ...deps, keyFor, record }), 'ERR_AUDIT_WRITE')
    expect(await deps.store.byId(registrationId)).toEqual(registration)

    const told: unknown[] = []
    const { keys } = await rotateKey(rotation, {
      ...deps,
      keyFor,
      async record(added) {
        told.push(added, (await deps.store.byId(registrationId))?.keys.length)
      },
    })
    const { thumbprint: kid } = keyFor('scanner', agent.checksum(), 1).publicKey
    expect(told).toEqual([{ kid, epoch: 1 }, 1])
    expect(keys).toHaveLength(2)
  })

  it('is not recorded when it is refused anyhow', async () => {
    const { deps, registration } = await registered()
    const { registrationId } = registration
    const rotation = { registrationId, clientId: 'runtime', overlapSeconds: 60 }
    const record = vi.fn(async () => undefined)
    const options = { ...deps, keyFor, record }
    await expectCode(rotateKey({ ...rotation, clientId: 'mallory' }, options), 'ERR_AGENT_OWNER')
    await expect(rotateKey({ ...rotation, overlapSeconds: -1 }, options)).rejects.toThrow(TypeError)
    await deps.store.revokeAgent('scanner')
    await expectCode(rotateKey(rotation, options), 'ERR_AGENT_REVOKED')
    expect(record).not.toHaveBeenCalled()
  })
})

describe('an attested key at registration', () => {
  attack('T1', 'is proven by its holder, for this agent', async () => {
    const clock = fakeClock()
    const agent = await liveScanner()
    const [worker, other] = [fixedKey('worker'), fixedKey('other')]
    const subject = { issuer, agentId: 'scanner', agentChecksum: agent.checksum(), epoch: 0 }
    const register = (about: Partial<KeyProofSubject>, signer = worker) => {
      const proof = signKeyProof({ ...subject, key: worker.publicKey, ...about }, signer, { clock })
      const key = { mode: 'attested', key: worker.publicKey, proof, issuer } as const
      return registerAgent(agent, registering(memoryRegistrations(), { clock, key }))
    }
    await expectCode(register({}, other), 'ERR_SIGNATURE_INVALID')
    await expectCode(register({ agentId: 'planner' }), 'ERR_KEY_PROOF_AGENT')
    await expectCode(register({ epoch: 1 }), 'ERR_KEY_PROOF_EPOCH')
    const { registration } = await register({})
    expect(registration.keys).toEqual([
      { kid: worker.publicKey.thumbprint, jwk: worker.publicKey.jwk, epoch: 0, mode: 'attested' },
    ])
  })
})

describe('the keys of a registration', () => {
  const key = (epoch: number, notAfter?: number): RegisteredKey => ({
    kid: `key-${epoch}`,
    jwk: fixedKey(`${epoch}`).publicKey.jwk,
    epoch,
    mode: 'derived',
    ...(notAfter !== undefined && { notAfter }),
  })

  it('count before their end, and the highest epoch signs wherever it stands', () => {
    const { keys } = registrationRow({ keys: [key(2), key(10), key(1, 50)] })
    expect(newestKey({ keys }).epoch).toBe(10)
    expect(countingKeys({ keys }, 49)).toHaveLength(3)
    expect(countingKeys({ keys }, 50).map(({ epoch }) => epoch)).toEqual([2, 10])
    expect(() => newestKey({ keys: [] })).toThrow(TypeError)
  })
})
