import { expect } from 'vitest'
import { AgenticError, type ErrorCode } from '../../runtime/errors.js'

/** Runs something that must be refused, and demands exactly this reason. */
export async function expectCode(
  run: (() => unknown) | Promise<unknown>,
  code: ErrorCode,
): Promise<AgenticError> {
  let outcome: unknown
  try {
    outcome = { returned: await (typeof run === 'function' ? run() : run) }
  } catch (error) {
    outcome = error
  }
  expect(outcome, `expected ${code}`).toBeInstanceOf(AgenticError)
  const error = outcome as AgenticError
  expect(error.code).toBe(code)
  return error
}
