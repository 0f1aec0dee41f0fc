import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js'
import { expect } from 'vitest'
import { type ErrorCode, oauthAnswers } from '../../runtime/errors.js'
import type { McpHouse } from './mcp-house.js'

/** The texts of an answer, in their order; a part that is no text counts as an empty one. */
export const textOf = ({ content }: CallToolResult) =>
  content.map((part) => (part.type === 'text' ? part.text : ''))

/** Our code in an answer; `undefined` when the call was not refused. */
export const codeOf = ({ _meta }: CallToolResult) => _meta?.['ajwt/code']

/** The call was refused for this reason, with OAuth's word and without anything else, and nothing ran. */
export function expectRefused(
  answer: CallToolResult,
  code: ErrorCode,
  { ran }: Pick<McpHouse, 'ran'>,
  runs = 0,
) {
  const [word] = (code === 'ERR_TOOL_UNKNOWN' ? oauthAnswers.ERR_ROUTE_UNKNOWN : oauthAnswers[code]).resource
  expect(answer).toEqual({
    content: [{ type: 'text', text: expect.stringMatching(/./) }],
    isError: true,
    _meta: { 'ajwt/error': word, 'ajwt/code': code },
  })
  expect(ran).toHaveLength(runs)
}
