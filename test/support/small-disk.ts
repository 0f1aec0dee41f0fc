/** A disk that really runs full: the command sees a tiny file system over one of its folders. Linux only. */
import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { batonCommand, type CliResult, ended } from './cli.js'

export interface SmallDisk {
  /** The folder that lies on the small disk; what is in it is copied there first. */
  readonly folder: string
  readonly sizeKib: number
  /** Where the content of the disk is copied when the command has ended; must not exist. */
  readonly copyTo: string
}

/** In a mount namespace of its own, so that the disk is gone with the command. */
const script = `
set -e
cp -R "$FOLDER" "$COPY_TO.source"
mount -t tmpfs -o "size=$SIZE" none "$FOLDER"
cp -R "$COPY_TO.source/." "$FOLDER/"
set +e
"$@"
code=$?
set -e
cp -R "$FOLDER" "$COPY_TO"
exit $code`

/** Runs the built command while one of its folders lies on a small disk. */
export function batonOnSmallDisk(args: readonly string[], cwd: string, disk: SmallDisk): Promise<CliResult> {
  mkdirSync(disk.folder, { recursive: true })
  const env = {
    PATH: process.env['PATH'],
    HOME: cwd,
    FOLDER: disk.folder,
    SIZE: `${disk.sizeKib}k`,
    COPY_TO: disk.copyTo,
  }
  const [program, ...rest] = batonCommand(args)
  const child = spawn('unshare', [...unshared, 'sh', '-c', script, 'sh', program as string, ...rest], {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  return ended(child)
}

// Without root a user namespace is needed too, where the system allows it.
const unshared = process.getuid?.() === 0 ? ['-m'] : ['-r', '-m']

/** False where the system lets nobody mount: other systems than Linux, and locked-down containers. */
export function canMount(): boolean {
  return spawnSync('unshare', [...unshared, 'sh', '-c', 'mount -t tmpfs none /mnt']).status === 0
}
