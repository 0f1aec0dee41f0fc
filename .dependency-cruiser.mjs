import { arrows, loose, portsOnly } from './arrows.mjs'

const loosePattern = `^runtime/(${loose.join('|')})\\.ts$`

export default {
  forbidden: [
    ...Object.entries(arrows).map(([room, to]) => ({
      name: `arrows-of-${room}`,
      severity: 'error',
      from: { path: `^runtime/${room}/` },
      to: {
        path: '^runtime/',
        pathNot: [
          loosePattern,
          `^runtime/(${[room, ...to].join('|')})/`,
          ...(room === 'cli' ? ['^runtime/(compose|index|runtime|program)\\.ts$'] : []),
        ],
      },
    })),
    {
      name: 'every-room-has-arrows',
      comment: 'a room that is not in arrows.mjs would be free to import anything',
      severity: 'error',
      from: { path: `^runtime/(?!(${Object.keys(arrows).join('|')})/)[^/]+/` },
      to: {},
    },
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    ...Object.entries(portsOnly).map(([room, to]) => ({
      name: `ports-only-of-${room}`,
      severity: 'error',
      from: { path: `^runtime/${room}/` },
      to: { path: `^runtime/(${to.join('|')})/`, dependencyTypesNot: ['type-only'] },
    })),
    {
      name: 'auditor-stands-alone',
      comment: 'the auditor shares no code with the writer it checks',
      severity: 'error',
      from: { path: '^runtime/audit/auditor/' },
      to: { path: '^runtime/', pathNot: ['^runtime/audit/auditor/'] },
    },
    {
      name: 'langchain-stays-in-the-engine',
      severity: 'error',
      from: {
        path: '^(runtime|agents|workflows)/',
        pathNot: ['^runtime/(engine|store)/', '^runtime/compose\\.ts$', '^agents/', '^workflows/'],
      },
      to: { path: 'node_modules/@langchain/' },
    },
    {
      name: 'programs-use-the-front-door',
      severity: 'error',
      from: { path: '^(agents|workflows)/' },
      to: { path: '^runtime/', pathNot: ['^runtime/index\\.ts$'] },
    },
    {
      name: 'runtime-knows-no-program',
      comment: 'only the command line opens the catalogue of workflows',
      severity: 'error',
      from: { path: '^runtime/', pathNot: ['^runtime/cli/'] },
      to: { path: '^(agents|workflows|examples|bench|test)/' },
    },
    {
      name: 'proofs-stand-alone',
      comment: 'who verifies tokens alone loads neither an engine nor a database',
      severity: 'error',
      from: { path: '^runtime/proofs\\.ts$' },
      to: {
        path: '^runtime/(engine|execution|authority|guard|sqlite|compose)|node_modules/(@langchain|kysely|better-sqlite3)',
        reachable: true,
      },
    },
    {
      name: 'resolvable',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|coverage|examples/vulnerable-shop)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      extensions: ['.ts', '.js', '.mjs', '.json'],
    },
  },
}
