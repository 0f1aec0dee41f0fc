// Takes the lock file given as its argument, says so, and keeps it until it is killed.
import { Sqlite } from '../../dist/runtime/sqlite.js'

const database = new Sqlite(process.argv[2], { timeout: 0 })
database.prepare('BEGIN IMMEDIATE').run()
process.stdout.write('held\n')
// Named in the timer: a handle that nothing refers to any more is collected, and its lock with it.
setInterval(() => database.open, 60_000)
