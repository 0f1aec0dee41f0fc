/**
 * Sets up what is missing and nothing else: the packages of the lockfile, then the build. Runs before
 * `npm start` and `npm test`, with no dependency of its own. What it says goes to standard error.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(fileURLToPath(import.meta.url))
const inRoot = (...parts) => join(root, ...parts)
const [major, minor] = process.versions.node.split('.').map(Number)
const lockFolder = inRoot('.setup-lock')
const staleLockMs = 15 * 60 * 1000

if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`Baton needs Node 20.19 or newer; this is ${process.versions.node}.`)
  process.exit(1)
}

await withLock(() => {
  installPackages()
  build()
})

/** Two commands at once must not install into each other. */
async function withLock(work) {
  for (;;) {
    try {
      mkdirSync(lockFolder)
      break
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
      if (ageMs(lockFolder) > staleLockMs) rmSync(lockFolder, { recursive: true, force: true })
      else await new Promise((resolve) => setTimeout(resolve, 300))
    }
  }
  const unlock = () => rmSync(lockFolder, { recursive: true, force: true })
  process.on('exit', unlock)
  work()
}

function ageMs(path) {
  try {
    return Date.now() - statSync(path).mtimeMs
  } catch {
    return 0 // it went away meanwhile
  }
}

function installPackages() {
  const stampFile = inRoot('node_modules', '.baton-setup')
  const stamp = createHash('sha256')
    .update(readFileSync(inRoot('package-lock.json')))
    .update([process.platform, process.arch, process.versions.modules].join(' '))
    .digest('hex')
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return
  console.error('Installing packages (first time, about a minute) …')
  const npm = process.env.npm_execpath
  const args = ['ci', '--include=dev', '--include=optional', '--no-audit', '--no-fund', '--loglevel=error']
  const command = npm ? [process.execPath, [npm, ...args]] : ['npm', args]
  run(command[0], command[1], 'installing packages')
  writeFileSync(stampFile, stamp)
}

function build() {
  const built = inRoot('dist', '.built')
  const sources = [
    'runtime',
    'agents',
    'workflows',
    'examples',
    'bench',
    'tsconfig.json',
    'tsconfig.build.json',
  ]
  const newest = Math.max(...sources.map((source) => newestMs(inRoot(source))))
  if (existsSync(built) && statSync(built).mtimeMs >= newest) return
  console.error('Building …')
  rmSync(inRoot('dist'), { recursive: true, force: true })
  run(
    process.execPath,
    [inRoot('node_modules', 'typescript', 'bin', 'tsc'), '-p', 'tsconfig.build.json'],
    'the build',
  )
  writeFileSync(built, '')
}

function newestMs(path) {
  const stats = statSync(path)
  if (!stats.isDirectory()) return stats.mtimeMs
  // A folder's own time changes when a file in it is added, removed or renamed.
  return Math.max(stats.mtimeMs, ...readdirSync(path).map((name) => newestMs(join(path, name))))
}

function run(command, args, what) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2] })
  if (status === 0) return
  console.error(`Setup stopped: ${what} failed${error ? ` (${error.code})` : ''}. The lines above say why.`)
  process.exit(1)
}
