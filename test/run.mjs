/**
 * All of `npm test`: types, lint and format, then every suite (arrows, units, integration, examples).
 * The report of the test runner goes to the file named by BATON_TEST_REPORT, if that is set.
 */
import { spawnSync } from 'node:child_process'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const report = process.env.BATON_TEST_REPORT
const node = (tool, ...args) => [process.execPath, [`node_modules/${tool}`, ...args]]

const steps = [
  ['types', ...node('typescript/bin/tsc', '--noEmit', '-p', '.')],
  ['lint and format', ...node('@biomejs/biome/bin/biome', 'ci', '--reporter=summary', '.')],
  [
    'tests',
    ...node(
      'vitest/vitest.mjs',
      'run',
      '--reporter=default',
      ...(report ? ['--reporter=json', `--outputFile.json=${report}`] : []),
    ),
  ],
]

const failed = []
for (const [name, command, args] of steps) {
  console.log(`\n== ${name}`)
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit' })
  if (status !== 0) failed.push(name)
}
if (failed.length > 0) {
  console.error(`\nFailed: ${failed.join(', ')}`)
  process.exitCode = 1
}
