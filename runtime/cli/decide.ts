/** `baton approve` and `baton deny`: a person's answer to a waiting gate, from any terminal. */
import { confirm, isCancel } from '@clack/prompts'
import { AgenticError } from '../errors.js'
import type { ApprovalRow } from '../execution/records.js'
import { by, questionText } from './ask.js'
import { exitCodes, UsageError } from './exit-code.js'
import { type PlaceOptions, placeOf, withRuntime } from './place.js'
import type { Write } from './run.js'

export interface DecideFlags extends PlaceOptions {
  readonly yes?: boolean
  readonly reason?: string
  readonly json?: boolean
}

/** @returns the exit code */
export async function decideCommand(
  decision: 'approved' | 'denied',
  runId: string,
  gate: string,
  flags: DecideFlags,
  write: Write,
): Promise<number> {
  return withRuntime(placeOf(flags), async (runtime) => {
    const question = pendingQuestion(await runtime.run(runId), gate)
    if (!flags.json) write(questionText(question))
    const method = await howConfirmed(decision, flags)
    if (method === undefined) {
      write('nothing was decided')
      return exitCodes.waiting
    }
    const row = await runtime.decide(runId, gate, by(method, decision, flags.reason))
    if (flags.json) write(JSON.stringify({ run: runId, gate, decision, approval: row.approvalId }))
    else write(`${decision}. The run goes on with: baton resume ${runId}`)
    return exitCodes.done
  })
}

function pendingQuestion(
  { approvals }: { readonly approvals: readonly ApprovalRow[] },
  gate: string,
): ApprovalRow {
  const ofGate = approvals.filter((approval) => approval.gate === gate)
  const pending = ofGate.find((approval) => approval.state === 'pending')
  if (pending) return pending
  if (ofGate.length > 0)
    throw new AgenticError('ERR_APPROVAL_USED', `gate "${gate}" of this run has been decided before`)
  throw new AgenticError('ERR_APPROVAL_UNKNOWN', `gate "${gate}" of this run waits for no approval`)
}

/** A denial harms nobody; an approval is confirmed on a terminal, or by --yes where there is none. */
async function howConfirmed(
  decision: 'approved' | 'denied',
  flags: DecideFlags,
): Promise<string | undefined> {
  if (flags.yes) return 'flag:yes'
  if (decision === 'denied') return 'command'
  if (!process.stdin.isTTY || !process.stdout.isTTY) {
    throw new UsageError('approving needs a terminal to show what is approved, or --yes')
  }
  const answer = await confirm({ message: 'Approve exactly this?', initialValue: false })
  return isCancel(answer) || !answer ? undefined : 'terminal'
}
