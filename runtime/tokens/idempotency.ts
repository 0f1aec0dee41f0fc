/** The key under which one effect happens once. Client and guard compute it alike. */
import { digestOf } from '../encoding/digest.js'

/**
 * @param argsDigest `sha256:<hex>` of the canonical arguments
 * @param ordinal which call of the activation with this tool and these arguments it is, from 0
 */
export function idempotencyKey(call: {
  readonly activationId: string
  readonly tool: string
  readonly argsDigest: string
  readonly ordinal: number
}): string {
  return digestOf({
    activation_id: call.activationId,
    tool: call.tool,
    args_digest: call.argsDigest,
    ordinal: call.ordinal,
  })
}
