/**
 * Replaces the content of several files: all of them, or none.
 *
 * The new contents are written beside the files and made durable first; each original is kept under a second name
 * until every file is in place, so that going back needs no room on the disk. A process that is killed halfway can
 * leave files named `.NAME.….new` or `.NAME.….old` behind, and some files replaced: running it again completes it.
 */
import { AgenticError } from '../../runtime/index.js'
import { fileError, systemCode } from './file-errors.js'
import type { FilePort, FileStat, OpenFile } from './file-port.js'
import type { Place } from './place.js'

/** One file, open and verified by the caller, and what shall be in it. */
export interface Replacement {
  readonly shown: string
  readonly place: Place
  /** As it was when its content was read. */
  readonly stat: FileStat
  readonly content: Uint8Array
}

interface Job extends Replacement {
  readonly target: string
  readonly fresh: string
  readonly kept: string
  /** Set before each call, because a call that fails may have been done all the same. */
  created: boolean
  linked: boolean
  renamed: boolean
}

/** @param suffix makes names that do not exist yet
 * @returns names of second copies that could not be removed; normally none
 * @throws AgenticError ERR_TOOL_FAILED; then every file is as it was, or the message names the one that is not */
export async function replaceFiles(
  files: FilePort,
  replacements: readonly Replacement[],
  suffix: () => string,
): Promise<readonly string[]> {
  const jobs = replacements.map((one) => jobFor(one, suffix()))
  try {
    for (const job of jobs) await prepare(files, job)
    for (const job of jobs) await exchange(files, job)
    for (const job of jobs) await job.place.folder.sync()
  } catch (error) {
    const lost = await undo(files, jobs)
    const cause = fileError(error, failedFile(jobs))
    const outcome = lost.length === 0 ? 'nothing was changed' : `could not be undone: ${lost.join('; ')}`
    throw new AgenticError(cause.code, `${outcome}: ${cause.message}`, { cause: error })
  }
  const left: string[] = []
  for (const job of jobs) if (!(await removed(files, job.kept))) left.push(shownBeside(job, job.kept))
  return left
}

function jobFor(one: Replacement, suffix: string): Job {
  const { folder, name } = one.place
  const beside = `${folder.path}/.${name}.${suffix}`
  return {
    ...one,
    target: `${folder.path}/${name}`,
    fresh: `${beside}.new`,
    kept: `${beside}.old`,
    created: false,
    linked: false,
    renamed: false,
  }
}

async function prepare(files: FilePort, job: Job): Promise<void> {
  job.created = true
  await writeNew(files, job.fresh, job.content, job.stat)
}

async function writeNew(files: FilePort, path: string, content: Uint8Array, like: FileStat): Promise<void> {
  const file = await files.create(path)
  try {
    await file.write(content)
    await giveAway(file, like)
    await file.chmod(like.mode)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** Only root may give a file to somebody else; for anyone else it stays theirs. */
async function giveAway(file: OpenFile, like: FileStat): Promise<void> {
  const own = await file.stat()
  if (own.uid === like.uid && own.gid === like.gid) return
  try {
    await file.chown(like.uid, like.gid)
  } catch (error) {
    if (systemCode(error) !== 'EPERM') throw error
  }
}

async function exchange(files: FilePort, job: Job): Promise<void> {
  job.linked = true
  await keep(files, job)
  job.renamed = true
  await files.rename(job.fresh, job.target)
}

/** Gives the original a second name; the file under it must be the very one that was read, unchanged. */
async function keep(files: FilePort, job: Job): Promise<void> {
  try {
    await files.link(job.target, job.kept)
  } catch (error) {
    if (!withoutLinks.has(systemCode(error) ?? '')) throw error
    await keepCopy(files, job)
    return
  }
  const stat = await files.lstat(job.kept)
  if (!isSame(stat, job.stat)) throw changedMeanwhile(job)
}

/** File systems without hard links. */
const withoutLinks = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EXDEV'])

async function keepCopy(files: FilePort, job: Job): Promise<void> {
  const original = await files.openFile(job.target)
  let content: Uint8Array
  try {
    if (!isSame(await original.stat(), job.stat)) throw changedMeanwhile(job)
    content = await original.read(job.stat.size)
  } finally {
    await original.close()
  }
  await writeNew(files, job.kept, content, job.stat)
}

function isSame(stat: FileStat, read: FileStat): boolean {
  return stat.identity === read.identity && stat.size === read.size && stat.modifiedNs === read.modifiedNs
}

function changedMeanwhile(job: Job): AgenticError {
  return new AgenticError('ERR_TOOL_FAILED', `${job.shown} was changed or replaced while it was patched`)
}

/** Puts every original back. @returns what could not be put back */
async function undo(files: FilePort, jobs: readonly Job[]): Promise<readonly string[]> {
  const lost: string[] = []
  for (const job of [...jobs].reverse()) {
    const back = !job.renamed || (await twice(() => files.rename(job.kept, job.target)))
    if (!back) lost.push(`the former ${job.shown} is in ${shownBeside(job, job.kept)}`)
    // Of a name that stands for the same file as the target, rename leaves both: so it is removed in any case.
    else if (job.linked) await removed(files, job.kept)
    if (job.created) await removed(files, job.fresh)
  }
  for (const job of jobs) await twice(() => job.place.folder.sync())
  return lost
}

function failedFile(jobs: readonly Job[]): string {
  const failed = jobs.findLast((job) => job.renamed) ?? jobs.findLast((job) => job.created) ?? jobs[0]
  return failed?.shown ?? 'a file'
}

function shownBeside(job: Job, path: string): string {
  return job.shown.slice(0, job.shown.lastIndexOf('/') + 1) + path.slice(path.lastIndexOf('/') + 1)
}

async function removed(files: FilePort, path: string): Promise<boolean> {
  return twice(() => files.unlink(path))
}

/** Clean-up is tried again once; what is gone already counts as done. */
async function twice(call: () => Promise<void>): Promise<boolean> {
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      await call()
      return true
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return true
    }
  }
  return false
}
