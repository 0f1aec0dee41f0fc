/** Who answers a gate's question: flags in scripts, a person on a terminal, otherwise nobody yet. */
import { userInfo } from 'node:os'
import { confirm, isCancel } from '@clack/prompts'
import type { ApprovalRow } from '../execution/records.js'
import type { ApprovalDecision, AskApproval } from '../runtime.js'
import { printable } from './progress.js'

export interface ApprovalFlags {
  /** Steps approved beforehand, by gate. */
  readonly approve?: readonly string[]
  readonly approveAll?: boolean
}

/** `os:<uid>`, or the account's name where there are no uids. */
export function localUser(): string {
  const { uid, username } = userInfo()
  return `os:${uid >= 0 ? uid : username}`
}

/** @param terminal whether somebody can be asked */
export function approvalsFrom(
  flags: ApprovalFlags,
  terminal: boolean,
  write: (line: string) => void,
): AskApproval {
  return async (question) => {
    if (flags.approveAll || flags.approve?.includes(question.gate)) {
      return by(flags.approveAll ? 'flag:approve-all' : 'flag:approve', 'approved')
    }
    return terminal ? askOnTerminal(question, write) : undefined
  }
}

async function askOnTerminal(
  question: ApprovalRow,
  write: (line: string) => void,
): Promise<ApprovalDecision | undefined> {
  write(questionText(question))
  const answer = await confirm({
    message: `Approve "${question.tool}" with exactly these arguments?`,
    initialValue: false,
  })
  if (isCancel(answer)) return undefined
  return by('terminal', answer ? 'approved' : 'denied')
}

/** The whole of what would be done: an approval binds to nothing less. */
export function questionText(question: ApprovalRow): string {
  return printable(
    `\nGate "${question.gate}" asks: may step "${question.opens}" call ${question.tool} once, with\n${JSON.stringify(question.args, null, 2)}`,
  )
}

export function by(method: string, decision: 'approved' | 'denied', reason?: string): ApprovalDecision {
  return { decision, approver: localUser(), method, ...(reason !== undefined && { reason }) }
}
