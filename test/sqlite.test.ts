import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

test('a process outlives the SQLite handles and statements that it dropped unclosed', () => {
  const script = fileURLToPath(new URL('support/drop-handles.mjs', import.meta.url))
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, [script], {
    encoding: 'utf8',
  })
  expect({ status, signal, stdout, stderr }).toEqual({
    status: 0,
    signal: null,
    stdout: 'alive\n',
    stderr: '',
  })
})
