import { beforeAll, describe, expect, it } from 'vitest'
import { oauthAnswers } from '../../runtime/errors.js'
import { attack } from '../support/attack.js'
import { type ErrorSite, errorSites, type Shown } from './error-sites.js'
import { type Reason, shownAnywhere, shownIn } from './shown.js'

const folders = ['runtime', 'agents', 'workflows']

/** Codes that nothing of this version makes. One leaves this list with its first use. */
const unused: readonly string[] = []

let sites: readonly ErrorSite[]
beforeAll(() => {
  sites = errorSites(folders)
}, 180_000)

function reasonFor({ file, expression }: Shown): Reason | undefined {
  const tables = [shownIn[file], shownIn[folderOf(file)], shownAnywhere]
  return tables.find((table) => table && Object.hasOwn(table, expression))?.[expression]
}

function folderOf(file: string): string {
  return file.slice(0, file.lastIndexOf('/') + 1)
}

/** Where a site shows what nobody has given a reason for. */
function unexplained(found: readonly ErrorSite[]): readonly string[] {
  const places = found.flatMap((site) =>
    site.shown.filter((shown) => !reasonFor(shown)).map((shown) => `${shown.at} ${shown.expression}`),
  )
  return [...new Set(places)].sort()
}

describe('every error of ours', () => {
  it('is found by the walk', () => {
    const made = (kind: string) => sites.filter((site) => site.made === kind).length
    expect(made('AgenticError')).toBeGreaterThan(250)
    expect(made('UsageError')).toBeGreaterThan(5)
    expect(made('fail')).toBeGreaterThan(30)
  })

  it('has a code that the compiler can tell', () => {
    expect(sites.filter(({ codes }) => !codes).map(({ at }) => at)).toEqual([])
  })

  it('has one of the codes of the table, and each of these is used', () => {
    // A site that passes on any code proves none of them used.
    const all = Object.keys(oauthAnswers)
    const used = new Set(sites.flatMap(({ codes = [] }) => (codes.length === all.length ? [] : codes)))
    expect([...used].filter((code) => !Object.hasOwn(oauthAnswers, code))).toEqual([])
    expect(all.filter((code) => !used.has(code) && !unused.includes(code))).toEqual([])
    expect(unused.filter((code) => used.has(code))).toEqual([])
  })

  attack('X16', 'shows only what there is a reason to show', () => {
    expect(unexplained(sites)).toEqual([])
  })

  it('leaves no reason behind when it no longer shows something', () => {
    const shown = new Set(
      sites.flatMap((site) =>
        site.shown.flatMap(({ file, expression }) => [
          `${file} ${expression}`,
          `${folderOf(file)} ${expression}`,
        ]),
      ),
    )
    const stale = Object.entries(shownIn).flatMap(([file, expressions]) =>
      Object.keys(expressions)
        .map((expression) => `${file} ${expression}`)
        .filter((entry) => !shown.has(entry)),
    )
    expect(stale).toEqual([])
    const anywhere = new Set(sites.flatMap((site) => site.shown.map(({ expression }) => expression)))
    expect(Object.keys(shownAnywhere).filter((expression) => !anywhere.has(expression))).toEqual([])
  })
})
