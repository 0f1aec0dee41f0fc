/** The few file system calls a working tree makes. A port, so that tests can make each of them fail. */

export interface FileStat {
  readonly kind: 'file' | 'folder' | 'link' | 'other'
  readonly size: number
  /** Permission bits. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Device and inode: two stats with equal identity are of the same file. */
  readonly identity: string
  /** Changes when the content is written. */
  readonly modifiedNs: bigint
}

export interface OpenFile {
  /** What stands for this folder in a path: on Linux the descriptor itself, so that nothing put in its place is followed. */
  readonly path: string
  stat(): Promise<FileStat>
  /** Reads from the start, at most `maxBytes` + 1 bytes. */
  read(maxBytes: number): Promise<Uint8Array>
  write(bytes: Uint8Array): Promise<void>
  chmod(mode: number): Promise<void>
  chown(uid: number, gid: number): Promise<void>
  sync(): Promise<void>
  close(): Promise<void>
}

/** Errors are those of `node:fs`, with their `code`. The last segment of a path is never followed when it is a link. */
export interface FilePort {
  /** The one call that follows links; for the root only. */
  realpath(path: string): Promise<string>
  lstat(path: string): Promise<FileStat>
  openFolder(path: string): Promise<OpenFile>
  openFile(path: string): Promise<OpenFile>
  /** Creates a file that must not exist; readable by its owner only. */
  create(path: string): Promise<OpenFile>
  names(path: string): Promise<readonly string[]>
  link(from: string, to: string): Promise<void>
  rename(from: string, to: string): Promise<void>
  unlink(path: string): Promise<void>
}
