/**
 * The files of an installed package that no lock file vouches for (PROTOCOL 2.2), so that editing it in place is
 * noticed. What it brings along in a `node_modules` of its own are other packages, which are listed by themselves.
 */
import { join } from 'node:path'
import { digestOf } from '../encoding/digest.js'
import { unresolved } from './module-imports.js'
import type { FoundPackage, ObservedFiles } from './observed-files.js'

/** Most files of one package. */
const maxPackageFiles = 20_000

/** @param maxFiles of the package, at most
 * @returns `sha256:` and hex over the sorted list of (path in the package, SHA-256 of the bytes)
 * @throws AgenticError ERR_CODE_UNRESOLVED for too many files, a link to a directory, and what is no file
 */
export function packageFiles(files: ObservedFiles, found: FoundPackage, maxFiles = maxPackageFiles): string {
  const hashes: [path: string, hash: string][] = []
  const queue = ['']
  for (let folder = queue.pop(); folder !== undefined; folder = queue.pop()) {
    for (const entry of files.list(join(found.directory, folder))) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`
      if (path === 'node_modules') continue
      const name = `${found.json.name ?? ''}/${path}`
      if (entry.isDirectory()) queue.push(path)
      else hashes.push([path, hashOf(files, found, path, name)])
      if (hashes.length > maxFiles) {
        throw unresolved(name, `its package has more than ${maxFiles} files and no lock file`)
      }
    }
  }
  return digestOf(hashes.sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** A link to a file counts with the content that it leads to; one to a directory is no file, and refused. */
function hashOf(files: ObservedFiles, found: FoundPackage, path: string, name: string): string {
  if (path === 'package.json') return found.hash // read before, and not merely as bytes
  return files.bytes(join(found.directory, path), name).hash
}
