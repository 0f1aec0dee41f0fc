/** `baton inspect`: explains a token, a chain, or what a step of a run held. */
import { readFileSync } from 'node:fs'
import { decodeJws } from '../encoding/compact-jws.js'
import { parseJson } from '../encoding/strict-json.js'
import { createKeyring } from '../keys/keyring.js'
import type { PublicKey } from '../keys/public-key.js'
import type { Runtime } from '../runtime.js'
import { exitCodes, UsageError } from './exit-code.js'
import { explainChain } from './explain-chain.js'
import { explainToken, kindOf } from './explain-token.js'
import { type PlaceOptions, placeOf, withRuntime } from './place.js'
import { printableLine } from './progress.js'
import type { Write } from './run.js'

export interface InspectFlags extends PlaceOptions {
  /** A file with the authority's public JWK; default: the authority of the state folder. */
  readonly key?: string
}

/**
 * @param subject a token, a chain (`token, token, …`), `-` for standard input, or a run
 * @param step with a run: whose chain to explain
 * @returns the exit code: 0 holds or nothing to check with, 1 does not hold
 */
export async function inspectCommand(
  subject: string,
  step: string | undefined,
  flags: InspectFlags,
  write: Write,
): Promise<number> {
  return withRuntime(placeOf(flags), async (runtime) => {
    const tokens = await tokensOf(subject, step, runtime)
    const keyring = createKeyring()
    const keys = flags.key === undefined ? runtime.jwkSet().keys : [readKey(flags.key)]
    const authorityKey = signerOf(tokens[0] ?? '', keys.map(keyring.verificationKey))
    const now = Math.floor(Date.now() / 1000)
    if (tokens.length === 1 && kindOf(tokens[0] ?? '') !== 'delegation+jwt') {
      const lines = explainToken(tokens[0] ?? '', { authorityKey, now })
      for (const line of lines) write(printableLine(line))
      return lines.some((line) => line.includes('DOES NOT HOLD')) ? exitCodes.failed : exitCodes.done
    }
    const known = await registrationsOf(runtime)
    const { lines, holds } = explainChain(tokens, { authorityKey, now, keyring, known })
    for (const line of lines) write(printableLine(line))
    return holds === false ? exitCodes.failed : exitCodes.done
  })
}

async function tokensOf(
  subject: string,
  step: string | undefined,
  runtime: Runtime,
): Promise<readonly string[]> {
  if (step !== undefined) {
    const { steps } = await runtime.run(subject)
    const chain = steps.findLast((report) => report.step === step)?.chain
    if (!chain || chain.length === 0) throw new UsageError(`step "${step}" of this run holds no chain`)
    return chain
  }
  const text = subject === '-' ? readFileSync(0, 'utf8') : subject
  const tokens = text.split(/[\s,]+/).filter((token) => token !== '')
  if (tokens.length === 0) throw new UsageError('there is no token to inspect')
  return tokens
}

/** Of several keys of the authority, the one that this token names; else the newest, to say that it did not sign. */
function signerOf(token: string, keys: readonly PublicKey[]): PublicKey {
  const typ = kindOf(token)
  const kid = typ === 'dpop+jwt' ? undefined : decodeJws(token, { typ }).header.kid
  const key = keys.find(({ thumbprint }) => thumbprint === kid) ?? keys[0]
  if (!key) throw new TypeError('inspect: the authority has no key')
  return key
}

async function registrationsOf(runtime: Runtime) {
  const registrations = await runtime.agents()
  return (registrationId: string, jkt: string) => {
    const found = registrations.find((registration) => registration.registrationId === registrationId)
    return found && { agent: found.agentId, mode: found.keys.find(({ kid }) => kid === jkt)?.mode }
  }
}

function readKey(file: string): unknown {
  try {
    return parseJson(readFileSync(file))
  } catch {
    throw new UsageError('--key must name a file that holds one public JWK')
  }
}
