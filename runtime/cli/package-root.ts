/** Where this package lies, whether it runs from its build or from its sources. */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The nearest folder above a file that holds a package.json. */
export function packageRoot(file: string): string {
  let folder = dirname(file)
  while (!existsSync(join(folder, 'package.json'))) {
    const above = dirname(folder)
    if (above === folder) throw new TypeError('there is no package.json above this file')
    folder = above
  }
  return folder
}
