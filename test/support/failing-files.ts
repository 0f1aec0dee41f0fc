/** A file port over the real one whose n-th call fails; it can also fail after the work is done, or from the n-th call on. */
import type { FilePort, OpenFile } from '../../agents/repository/file-port.js'
import { nodeFiles } from '../../agents/repository/node-files.js'

export interface Failure {
  /** Which call fails, from 1. */
  readonly at: number
  readonly code: string
  /** The work is done all the same, and only the answer is lost. */
  readonly done?: boolean
  /** Which calls count; default all. */
  readonly calls?: readonly string[]
  /** Every later call fails too. */
  readonly onwards?: boolean
}

export interface FailingFiles extends FilePort {
  /** Calls made so far, by name. */
  readonly log: readonly string[]
}

/** @param before runs before each call; for what somebody else does meanwhile */
export function failingFiles(failure?: Failure, before?: (call: string, path: string) => void): FailingFiles {
  const log: string[] = []
  let counted = 0
  const call = async <T>(name: string, path: string, work: () => Promise<T>): Promise<T> => {
    log.push(name)
    before?.(name, path)
    if (failure && (!failure.calls || failure.calls.includes(name))) {
      counted += 1
      const fails = failure.onwards === true ? counted >= failure.at : counted === failure.at
      if (fails) {
        if (failure.done === true) await forget(await work())
        throw Object.assign(new Error(failure.code), { code: failure.code })
      }
    }
    return work()
  }
  const opened = (file: OpenFile): OpenFile => ({
    path: file.path,
    stat: () => call('stat', file.path, () => file.stat()),
    read: (maxBytes) => call('read', file.path, () => file.read(maxBytes)),
    write: (bytes) => call('write', file.path, () => file.write(bytes)),
    chmod: (mode) => call('chmod', file.path, () => file.chmod(mode)),
    chown: (uid, gid) => call('chown', file.path, () => file.chown(uid, gid)),
    sync: () => call('sync', file.path, () => file.sync()),
    close: () => file.close(),
  })
  return {
    log,
    realpath: (path) => call('realpath', path, () => nodeFiles.realpath(path)),
    lstat: (path) => call('lstat', path, () => nodeFiles.lstat(path)),
    openFolder: (path) => call('openFolder', path, async () => opened(await nodeFiles.openFolder(path))),
    openFile: (path) => call('openFile', path, async () => opened(await nodeFiles.openFile(path))),
    create: (path) => call('create', path, async () => opened(await nodeFiles.create(path))),
    names: (path) => call('names', path, () => nodeFiles.names(path)),
    link: (from, to) => call('link', from, () => nodeFiles.link(from, to)),
    rename: (from, to) => call('rename', from, () => nodeFiles.rename(from, to)),
    unlink: (path) => call('unlink', path, () => nodeFiles.unlink(path)),
  }
}

/** Nobody gets what was opened, so nobody else will close it. */
async function forget(result: unknown): Promise<void> {
  if (typeof result === 'object' && result !== null && 'close' in result) await (result as OpenFile).close()
}
