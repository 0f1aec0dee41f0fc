/** A run's events as lines: with marks and colour on a terminal, plain in a pipe, none with --json. */
import { styleText } from 'node:util'
import type { RunEvent } from '../execution/events.js'

export type Format = 'terminal' | 'plain' | 'json'

export function formatOf(
  options: { readonly json?: boolean },
  out: { readonly isTTY?: boolean } = process.stdout,
): Format {
  if (options.json) return 'json'
  return out.isTTY ? 'terminal' : 'plain'
}

/** Follows a run until it ends or waits. */
export async function showProgress(
  events: AsyncIterable<RunEvent>,
  format: Format,
  write: (line: string) => void,
): Promise<void> {
  for await (const event of events) {
    const line = format === 'json' ? undefined : progressLine(event, format === 'terminal')
    if (line !== undefined) write(line)
  }
}

type Style = Parameters<typeof styleText>[0]

const marks: Readonly<Record<RunEvent['type'], readonly [mark: string, style: Style, words: string]>> = {
  'run.started': ['▶', 'bold', 'run started'],
  'run.resumed': ['▶', 'bold', 'run resumed'],
  'step.started': ['·', 'dim', 'started'],
  'step.completed': ['✓', 'green', 'done'],
  'step.skipped': ['–', 'dim', 'skipped'],
  'step.failed': ['✗', 'red', 'failed'],
  'step.waiting': ['…', 'yellow', 'waiting'],
  'tool.called': ['→', 'cyan', 'called'],
  'tool.refused': ['⛔', 'red', 'refused'],
  'agent.log': [' ', 'dim', ''],
  'approval.requested': ['?', 'yellow', 'asks for approval'],
  'approval.decided': ['!', 'yellow', 'approval'],
  'run.waiting': ['…', 'yellow', 'run waits for approval'],
  'run.completed': ['✓', 'green', 'run completed'],
  'run.failed': ['✗', 'red', 'run failed'],
  'run.refused': ['⛔', 'red', 'run refused'],
}

export function progressLine(event: RunEvent, styled: boolean): string {
  const [mark, style, words] = marks[event.type]
  const detail = ['tool', 'message', 'code', 'decision']
    .map((name) => event.data[name])
    .filter((value) => typeof value === 'string')
    .join(': ')
  const subject = event.step === undefined ? '' : `${event.step} `
  const text = printableLine(`${subject}${words}${detail && words ? ' ' : ''}${detail}`)
  return styled ? `${styleText(style, mark)} ${text}` : text
}

/** The same for what must stay one line, so that text cannot forge the line after it. */
export function printableLine(text: string): string {
  return printable(text).replace(/[\t\n\u2028\u2029]/g, '�')
}

/** Text from agents and files must not move the cursor or rewrite what was printed (terminal escapes). */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is to be replaced
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '�')
}
