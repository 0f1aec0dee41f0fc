import type { AuditStorage } from '../../runtime/audit/storage.js'

export interface FailingAuditStorage extends AuditStorage {
  /** The next append fails, and its batch is not there afterwards, or only its first half, or all of it. */
  failNext(how: 'unsaved' | 'half saved' | 'though saved'): void
  /** Appends asked for so far. */
  readonly appends: number
}

/** A storage that fails on demand, in each of the ways that a disk can. */
export function failingAuditStorage(inner: AuditStorage): FailingAuditStorage {
  let failure: 'unsaved' | 'half saved' | 'though saved' | undefined
  let appends = 0
  return {
    read: (position) => inner.read(position),
    readVerifierKey: () => inner.readVerifierKey(),
    writeVerifierKey: (key) => inner.writeVerifierKey(key),
    close: () => inner.close(),
    exclusively: (work) =>
      inner.exclusively((writer) =>
        work({
          end: () => writer.end(),
          cut: (position) => writer.cut(position),
          sync: () => writer.sync(),
          async append(batch) {
            appends++
            const how = failure
            failure = undefined
            if (how === undefined) return writer.append(batch)
            if (how === 'half saved') await writer.append(batch.subarray(0, Math.floor(batch.length / 2)))
            if (how === 'though saved') await writer.append(batch)
            throw new Error('the disk says no')
          },
        }),
      ),
    failNext(how) {
      failure = how
    },
    get appends() {
      return appends
    },
  }
}
