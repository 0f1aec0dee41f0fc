import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'

const node = (script: string) => spawnSync(process.execPath, [script], { encoding: 'utf8' })

test('a process outlives the SQLite handles and statements that it dropped unclosed', () => {
  const { status, signal, stdout, stderr } = node(
    fileURLToPath(new URL('support/drop-handles.mjs', import.meta.url)),
  )
  expect({ status, signal, stdout, stderr }).toEqual({
    status: 0,
    signal: null,
    stdout: 'alive\n',
    stderr: '',
  })
})

test('a missing build of SQLite is named, and no other is taken', () => {
  const folder = mkdtempSync(join(tmpdir(), 'baton-sqlite-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  for (const file of ['sqlite.js', 'errors.js']) copyFileSync(`dist/runtime/${file}`, join(folder, file))
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  const { status, stderr } = node(join(folder, 'sqlite.js'))
  expect(status).not.toBe(0)
  expect(stderr).toMatch(/SQLite: the package better-sqlite3(-node-api)? is not installed/)

  const wanted = /better-sqlite3(?:-node-api)?(?= is not installed)/.exec(stderr)?.[0] ?? ''
  mkdirSync(join(folder, 'node_modules', wanted), { recursive: true })
  writeFileSync(join(folder, 'node_modules', wanted, 'index.js'), 'module.exports = class {}')
  expect(node(join(folder, 'sqlite.js'))).toMatchObject({ status: 0, stderr: '' })
})
