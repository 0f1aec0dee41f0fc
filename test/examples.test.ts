/** Every example checks itself; here each is run as a user would run it, from the build. */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import * as frontDoor from '../runtime/index.js'

const names = readdirSync('examples')
  .filter((name) => /^\d\d-.*\.ts$/.test(name))
  .map((name) => name.slice(0, -'.ts'.length))

describe('examples', () => {
  it('are there', () => {
    expect(names.length).toBeGreaterThan(0)
  })

  it.each(names)('%s does what it says', (name) => {
    const built = `dist/examples/${name}.js`
    expect(existsSync(built), 'run "npm run build" first').toBe(true)
    const { status, stderr } = spawnSync(process.execPath, [built], { encoding: 'utf8' })
    expect(stderr).toBe('')
    expect(status).toBe(0)
  })
})

describe('the README', () => {
  const readme = readFileSync('README.md', 'utf8')
  const blocks = [...readme.matchAll(/<!-- from (examples\/\S+\.ts)((?: #\w+)+) -->\n```ts\n([\s\S]*?)```/g)]

  it('shows a program', () => {
    expect(blocks.length).toBeGreaterThan(0)
  })

  it.each(blocks.map(([, file, regions, code]) => [file, regions, code] as const))(
    'shows of %s%s what is in the file',
    (file, regions, code) => {
      const source = readFileSync(file as string, 'utf8')
      const wanted = (regions as string)
        .trim()
        .split(' ')
        .map((region) => regionOf(source, region.slice(1)))
      const imports = source.match(/^import .* from 'baton-runtime'$/m)?.[0]
      expect(code).toBe(`${imports}\nimport { z } from 'zod'\n\n${wanted.join('')}`)
    },
  )
})

/** The front door of those who use the proofs alone. */
const proofs = [
  'canonicalize',
  'agentChecksum',
  'sequenceHash',
  'mintIntentToken',
  'verifyIntentToken',
  'createDpopProof',
  'verifyDpopProof',
  'createInvocationProof',
  'verifyInvocationProof',
  'issueRootAssertion',
  'deriveAssertion',
  'verifyChain',
  'checkArguments',
  'subsumes',
  'generateKey',
  'deriveKey',
  'readPublicKey',
  'thumbprint',
  'mcpCallParams',
  'parseInvocationMeta',
]

describe('the README of the examples', () => {
  const readme = readFileSync('examples/README.md', 'utf8')
  const exported = new Map<string, unknown>(Object.entries(frontDoor))
  const blocks = [...readme.matchAll(/<!-- from (\S+\.ts) #(\w+) -->\n```ts\n([\s\S]*?)```/g)]

  it.each(proofs)('shows %s, which the front door has', (name) => {
    expect(exported.get(name)).toBeTypeOf('function')
    const shown = blocks.find(([, , region]) => region === name)
    expect(shown?.[3]).toContain(`${name}(`)
  })

  it.each(blocks.map(([, file, region, code]) => [file, region, code] as const))(
    'shows of %s %s what is in the file',
    (file, region, code) => {
      expect(code).toBe(regionOf(readFileSync(`examples/${file}`, 'utf8'), region as string))
    },
  )

  it.each(names)('names %s', (name) => {
    expect(readme).toContain(`](${name}.ts)`)
  })
})

function regionOf(source: string, name: string): string {
  const start = `// #region ${name}\n`
  const from = source.indexOf(start)
  const to = source.indexOf(`// #endregion ${name}`)
  expect(from, `there is no region ${name}`).toBeGreaterThan(-1)
  return source.slice(from + start.length, to)
}
