// Drops SQLite handles and statements without closing them, and awaits so often that they are collected between
// two callbacks, where no context is entered.
import { Sqlite } from '../../dist/runtime/sqlite.js'

for (let lot = 0; lot < 30; lot += 1) {
  drop()
  await Promise.all(Array.from({ length: 200 }, () => churn(300)))
}
process.stdout.write('alive\n')

function drop() {
  const database = new Sqlite(':memory:')
  for (let n = 0; n < 200; n += 1) database.prepare(`select ${n}`).get()
}

async function churn(awaits) {
  for (let n = 0; n < awaits; n += 1) await null
}
