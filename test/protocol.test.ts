/** What the code says it follows can be looked up. */
import { readdirSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

const protocol = readFileSync('PROTOCOL.md', 'utf8')

function sources(): [file: string, text: string][] {
  return ['runtime', 'agents', 'workflows', 'examples', 'bench', 'test'].flatMap((room) =>
    readdirSync(room, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') || name.endsWith('.md'))
      .map((name): [string, string] => [`${room}/${name}`, readFileSync(`${room}/${name}`, 'utf8')]),
  )
}

it('every section of the protocol that is cited is there', () => {
  const sections = new Set([...protocol.matchAll(/^#{2,3} (\d+(?:\.\d+)?)/gm)].map(([, section]) => section))
  const cited = sources().flatMap(([file, text]) =>
    [...text.matchAll(/PROTOCOL (\d+(?:\.\d+)?)/g)].map(([, section]) => ({ file, section })),
  )
  expect(cited.length).toBeGreaterThan(100)
  expect(cited.filter(({ section }) => !sections.has(section))).toEqual([])
})
