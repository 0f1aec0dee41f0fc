import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'

/** Imports a door as a program does, by the name of the package, and lists what it finds there. */
function namesBehind(door: string): string[] {
  const script = `console.log(JSON.stringify(Object.keys(await import('${door}'))))`
  const args = ['--input-type=module', '--eval', script]
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  expect(stderr).toBe('')
  return JSON.parse(stdout)
}

describe('the door of the proofs', () => {
  it('is a part of the front door, and lets nobody in to the runtime', () => {
    const proofs = namesBehind('baton-runtime/proofs')
    const all = namesBehind('baton-runtime')
    expect(proofs).toContain('verifyChain')
    expect(proofs.filter((name) => !all.includes(name))).toEqual([])
    expect(proofs).not.toContain('createRuntime')
    expect(all).toContain('createRuntime')
  })
})
