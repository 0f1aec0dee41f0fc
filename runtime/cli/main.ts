#!/usr/bin/env node
/** The command line. No rule of security lives here: it asks the runtime and prints what it says. */
import { Command } from 'commander'
import { agentsCommand, registerCommand } from './agents.js'
import { auditVerifyCommand } from './audit.js'
import { decideCommand } from './decide.js'
import { demoCommand } from './demo.js'
import { graphCommand } from './graph.js'
import { inspectCommand } from './inspect.js'
import { reportError, withoutTokens } from './report-error.js'
import { resumeCommand, runCommand } from './run.js'
import { runsCommand } from './runs.js'

const write = (line: string) => void process.stdout.write(`${line}\n`)
const collect = (value: string, all: readonly string[] = []) => [...all, value]

function commands(): Command {
  const program = new Command('baton')
    .description('Run agents that prove who they are, for whom they act and what they may do.')
    .exitOverride()
    .configureOutput({ outputError: (text, print) => print(withoutTokens(text)) })
    .showHelpAfterError('(--help tells more)')

  const stateful = (command: Command) =>
    command
      .option('--state <dir>', 'state folder (default: .baton in the current folder)')
      .option('--store <url>', 'sqlite:PATH (default: in the state folder)')
  const running = (command: Command) =>
    stateful(command)
      .option('--model <provider:name>', 'let a chat model drive the agents; default: scripted')
      .option('--approve <gate>', 'approve this gate beforehand (repeatable)', collect)
      .option('--approve-all', 'approve every gate, for scripts')
      .option('--json', 'print one JSON object as the last line')

  running(program.command('run').argument('<workflow>', 'a built-in workflow, or a module that exports one'))
    .description('run a workflow')
    .option('--input <name=value>', 'a parameter of the workflow (repeatable)', collect)
    .option('--input-file <file>', 'parameters as a JSON object')
    .option('--advisories <dir>', 'a folder of OSV records, for workflows that read them')
    .option('--id-token <file>', 'who asks: an ID token of a trusted issuer (default: the local user)')
    .option('--issuers <file>', 'the trusted issuers (default: issuers.json in the state folder)')
    .option('--accept-changes', 'register changed agents as new versions, in development')
    .action(exits((workflow, flags) => runCommand(workflow, flags, write)))
  running(program.command('resume').argument('<run>'))
    .description('go on with a run that waits or was interrupted')
    .action(exits((run, flags) => resumeCommand(run, flags, write)))
  stateful(program.command('runs').argument('[run]'))
    .description('list the runs, or show one')
    .option('--json', 'print JSON')
    .action(exits((run, flags) => runsCommand(run, flags, write)))
  for (const [name, decision] of [
    ['approve', 'approved'],
    ['deny', 'denied'],
  ] as const) {
    stateful(program.command(name).argument('<run>').argument('<gate>'))
      .description(`${name} what a gate of a waiting run asks`)
      .option('--yes', 'do not ask again; needed without a terminal')
      .option('--reason <text>', 'kept with the decision')
      .option('--json', 'print JSON')
      .action(exits((run, gate, flags) => decideCommand(decision, run, gate, flags, write)))
  }
  program
    .command('graph')
    .argument('<workflow>', 'a built-in workflow, a module, or a YAML file')
    .description('draw a workflow as Mermaid text or SVG')
    .option('--svg [file]', 'an SVG, to standard output or to a file')
    .action(exits((workflow, flags) => graphCommand(workflow, flags, write)))
  stateful(program.command('agents'))
    .description('list the registered agents')
    .option('--json', 'print JSON')
    .action(exits((flags) => agentsCommand(flags, write)))
  stateful(program.command('register').argument('<workflow>'))
    .description('register the agents of a workflow, accepting what changed')
    .option('--json', 'print JSON')
    .action(exits((workflow, flags) => registerCommand(workflow, flags, write)))
  stateful(program.command('inspect').argument('<token>', 'a token, a chain, - for standard input, or a run'))
    .argument('[step]', 'with a run: the step whose chain to explain')
    .description('explain a token or a chain in words')
    .option('--key <file>', "the authority's public JWK")
    .action(exits((token, step, flags) => inspectCommand(token, step, flags, write)))
  stateful(program.command('audit').description('the audit log').command('verify'))
    .description('verify the whole log')
    .option('--key <vkey>', 'the verifier key you trust')
    .option('--checkpoint <file>', 'a checkpoint you kept, which the log must extend')
    .option('--json', 'print {records, root, ok, first_bad?}')
    .action(exits((flags) => auditVerifyCommand(flags, write)))
  program
    .command('demo')
    .description('the main job on a copy of the sample project')
    .action(exits(() => demoCommand(write)))
  return program
}

/** An action whose result is the exit code. Commander hands its arguments first, then the options. */
// biome-ignore lint/suspicious/noExplicitAny: commander's own shape
function exits(action: (...args: any[]) => Promise<number>) {
  // biome-ignore lint/suspicious/noExplicitAny: as above
  return async (...args: any[]) => {
    process.exitCode = await action(...args)
  }
}

// A reader that has seen enough (`| head`) must not end a run half-way.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
})

// LangSmith would post the state of every run to a web service when the environment asks for it.
process.env['LANGSMITH_TRACING'] = 'false'
process.env['LANGCHAIN_TRACING_V2'] = 'false'
try {
  await commands().parseAsync()
} catch (error) {
  process.exitCode = reportError(error, {
    json: process.argv.includes('--json'),
    debug: Boolean(process.env['BATON_DEBUG']),
    out: write,
    err: (line) => void process.stderr.write(`${line}\n`),
  })
}
