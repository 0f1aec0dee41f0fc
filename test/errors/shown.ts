/**
 * What the words of an error may show besides literals, each with the reason. An expression that is not here
 * fails the walk: read where its value comes from, and add it only if one of these reasons is true of it.
 */

export const reasons = {
  id: 'an id or a name that isIdentifier or isToolName accepted when a definition or registration was read',
  argument: 'the name of an argument, as a grant or a schema has it; never what a caller called it',
  definition: 'a word of a workflow definition or of the source of a program, told to its author',
  place:
    'a file, folder, package or member in the project that a tool was pointed at; never what stands there',
  operator: 'what the operator wrote on this command line, or what his own module said while it was loaded',
  constant: 'one of a closed set of words of ours, which the compiler does not see as closed',
  number:
    'a number or a digest of ours, which the compiler does not know as one without the types of packages',
  repeatable: 'words of a resource that were looked through before (client/http-call.ts)',
} as const

export type Reason = keyof typeof reasons

/** Members that mean one thing wherever they stand. */
export const shownAnywhere: Readonly<Record<string, Reason>> = {
  'activation.step': 'id',
  'agent.definition.id': 'id',
  'existing.agentId': 'id',
  'gate.id': 'id',
  'receipt.step': 'id',
  'registration.agentId': 'id',
  'row.step': 'id',
  'step.agent': 'id',
  'step.delegatedBy': 'id',
  'step.id': 'id',
  'step.tool': 'id',
  'tool.definition.name': 'id',
  'tool.http.resource': 'id',
  'tool.name': 'id',
  'workflow.id': 'id',
}

/** By file, or by folder where it stands for one thing in all of it: what a bare name is, is only known there. */
export const shownIn: Readonly<Record<string, Readonly<Record<string, Reason>>>> = {
  'agents/advisories/load.ts': {
    "fileURLToPath(new URL('.', import.meta.url))": 'place',
    'relative(folder, file)': 'place',
    index: 'number',
  },
  // After isManifest, or the name of the lock file.
  'agents/dependencies/allowed-edits.ts': { file: 'place' },
  'agents/dependencies/edit-text.ts': { 'edit.pointer': 'place', key: 'place', 'member.key': 'place' },
  'agents/dependencies/inventory.ts': {
    'project.lock.file': 'place',
    'project.manifest.file': 'place',
    file: 'place',
  },
  'agents/dependencies/lock-tree.ts': { key: 'place' },
  'agents/dependencies/lock.ts': { path: 'place' },
  'agents/dependencies/project.ts': { 'manifest.file': 'place' },
  'agents/dependencies/shape.ts': { name: 'place' },
  // A pattern of folders.
  'agents/dependencies/workspaces.ts': { written: 'place' },
  'agents/repository/apply-changes.ts': { file: 'place' },
  // ENOENT and its like.
  'agents/repository/file-errors.ts': { 'error.code': 'constant' },
  'agents/repository/place.ts': { 'segmentsOf(path)': 'place' },
  'agents/repository/replace-files.ts': {
    'failed?.shown': 'place',
    'job.shown': 'place',
    'undo(files, jobs)': 'place',
  },
  'agents/repository/working-tree.ts': { file: 'place', path: 'place' },
  'runtime/audit/record.ts': { 'Buffer.byteLength(before)': 'number', 'Buffer.byteLength(after)': 'number' },
  // The keys of `pinned`.
  'runtime/authority/hops.ts': { agentId: 'id' },
  // Of the tools that the registration declares and the leaf grants.
  'runtime/authority/issue.ts': { 'request.tool': 'id' },
  'runtime/cli/audit.ts': { 'place.state': 'operator' },
  'runtime/cli/graph.ts': { 'resolve(cwd, reference)': 'operator' },
  'runtime/cli/main.ts': { gate: 'operator', run: 'operator', step: 'operator', workflow: 'operator' },
  'runtime/cli/model.ts': { 'Object.keys(providers)': 'constant', 'provider.module': 'constant' },
  'runtime/cli/programs.ts': {
    'Object.keys(catalogue)': 'constant',
    'cause.name': 'operator',
    'cause.message': 'operator',
  },
  'runtime/cli/run.ts': {
    'flags.model': 'operator',
    'launch.program': 'operator',
    name: 'operator',
    'gatesOf(program)': 'id',
  },
  // Paths as far as the schema names them, and zod's kinds of issue.
  'runtime/client/arguments.ts': {
    'parsed.error.issues': 'argument',
    shown: 'argument',
    'issue.code': 'constant',
  },
  'runtime/client/http-call.ts': {
    'call.route.resource': 'id',
    "member('error_description')": 'repeatable',
  },
  // What the program that holds the runtime asks it for by id.
  'runtime/compose.ts': { agentId: 'id', agent: 'id' },
  'runtime/delegation/constraint.ts': { bound: 'constant', flag: 'constant' },
  // Tools after isToolName; arguments that the grant, or the parent's, names.
  'runtime/delegation/tools.ts': { tool: 'id', argument: 'argument' },
  'runtime/encoding/compact-jws.ts': { typ: 'constant' },
  'runtime/encoding/identifier.ts': { what: 'constant' },
  'runtime/engine/secure-run.ts': { 'call.node': 'definition' },
  'runtime/engine/secure.ts': { path: 'definition' },
  'runtime/execution/activation.ts': {
    'request.step': 'id',
    step: 'id',
    'steps.filter((_, index) => found[index] === undefined)': 'id',
  },
  'runtime/execution/approval.ts': { 'request.tool': 'id' },
  'runtime/guard/check.ts': { name: 'id', scope: 'definition' },
  'runtime/guard/perform.ts': { name: 'id' },
  // Of a registration, wherever it is taken out of one.
  'runtime/identity/': { agentId: 'id' },
  // Files of the agent's own package, and what they import by a literal.
  'runtime/identity/code-digest.ts': {
    'fileURLToPath(entryUrl)': 'place',
    'nameOf(entry)': 'place',
    'nameOf(path)': 'place',
    'item.specifier': 'definition',
  },
  // Names that isToolName accepted; members by their names in the MCP schema.
  'runtime/identity/mcp-tools.ts': {
    'pinned.server': 'id',
    differences: 'id',
    "read['name']": 'id',
    key: 'constant',
  },
  'runtime/identity/observed-files.ts': { name: 'place' },
  'runtime/identity/package-files.ts': { 'entry.name': 'place', folder: 'place', 'found.json.name': 'place' },
  // "prompt", "configuration", "code", and tools by their names.
  'runtime/identity/plan-registration.ts': { 'changesOf(existing, { ...incoming, scopes })': 'id' },
  'runtime/identity/verify-identity.ts': {
    'explainMismatch(registration.components, agent.components())': 'id',
  },
  'runtime/keys/public-jwk.ts': { coordinates: 'constant' },
  // After isToolName.
  'runtime/proofs/delegation.ts': { tool: 'id' },
  'runtime/store/checkpoints.ts': { 'found.epoch': 'number' },
  // The scheme of the store's URL, and nothing after it.
  'runtime/store/open-store.ts': { '/^[a-z][a-z0-9+.-]*:/i.exec(url)?.[0]': 'operator' },
  'runtime/store/store-error.ts': { 'sentences.find(([pattern]) => pattern.test(code))?.[1]': 'constant' },
  // The library's words about the expression; those about data are cut (withoutData).
  'runtime/workflow/condition.ts': {
    "(error instanceof Error ? error.message : 'unknown error').split('\\n', 1)[0]": 'definition',
    '/^Unknown variable: (\\S+)$/.exec(what)?.[1]': 'definition',
    id: 'definition',
    name: 'definition',
    'result.type': 'definition',
    'say(cause)': 'definition',
  },
  'runtime/workflow/define.ts': { 'complete.id': 'id', what: 'definition' },
  'runtime/workflow/grant.ts': { name: 'id', 'hole.parameter': 'definition' },
  'runtime/workflow/mapping.ts': { 'found.id': 'id', name: 'definition', path: 'definition' },
  'runtime/workflow/parameters.ts': {
    'Object.keys(parameters)': 'definition',
    name: 'definition',
    'parameter.enum': 'definition',
    choice: 'definition',
  },
  'runtime/workflow/place.ts': { best: 'definition', text: 'definition' },
  'runtime/workflow/read-definition.ts': {
    known: 'constant',
    'found.id': 'definition',
    'found.type': 'definition',
    'found.version': 'definition',
  },
  'runtime/workflow/read-steps.ts': {
    'found.id': 'definition',
    'found.agent': 'definition',
    'gate.tool': 'definition',
    path: 'definition',
  },
  'runtime/workflow/shape.ts': {
    'fail(place, `expected a text, found ${kindOf(value)}`)': 'constant',
    item: 'definition',
  },
  'runtime/workflow/validate-authority.ts': {
    scope: 'definition',
    tool: 'definition',
    'hole.parameter': 'definition',
    'hole.member': 'definition',
  },
  'runtime/workflow/validate-data.ts': { member: 'definition', root: 'definition' },
  'runtime/workflow/validate.ts': { cycle: 'definition' },
  'runtime/workflow/wire.ts': {
    workflowMembers: 'constant',
    grantMembers: 'constant',
    stepMembers: 'constant',
  },
  'runtime/workflow/yaml.ts': {
    what: 'definition',
    'run()': 'definition',
    'problem.message': 'definition',
    'status.size': 'number',
  },
  'workflows/vulnerability-patching.ts': {
    'join(here, name)': 'place',
    "join(here, '..', '..', 'workflows', name)": 'place',
    "options['advisories']": 'operator',
    'projectFolder(resolve(cwd, repo))': 'operator',
    'resolve(cwd, repo)': 'operator',
  },
}
