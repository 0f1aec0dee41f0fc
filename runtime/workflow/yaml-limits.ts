/**
 * What a YAML text may hold, judged on its tokens before it is parsed: the parser recurses, and deep nesting
 * ends not in an error but in the death of the process; many tokens cost it more than linear time.
 */
import { CST, type Document, isScalar, Lexer, type Node, visit } from 'yaml'

const maxTokens = 60_000
const maxNesting = 32

/** @returns what is wrong with the text, undefined when it may be parsed */
export function excessIn(text: string): string | undefined {
  let tokens = 0
  let flow = 0
  let dashes = 0
  for (const token of new Lexer().lex(text)) {
    tokens++
    switch (CST.tokenType(token)) {
      case 'flow-map-start':
      case 'flow-seq-start':
        flow++
        break
      case 'flow-map-end':
      case 'flow-seq-end':
        flow--
        break
      case 'seq-item-ind':
        dashes++
        break
      case 'newline':
        dashes = 0
        break
      case 'explicit-key-ind':
        return 'keys after "?" are not read'
    }
    if (tokens > maxTokens) return `more than ${maxTokens} tokens`
    if (flow > maxNesting || dashes > maxNesting) return `nested deeper than ${maxNesting}`
  }
  return undefined
}

/** The second of two equal keys of one map, however they are quoted. In linear time, unlike the parser's own check. */
export function duplicateKey(document: Document): Node | undefined {
  let duplicate: Node | undefined
  visit(document, {
    Map(_, map) {
      const seen = new Set<string>()
      for (const { key } of map.items) {
        if (!isScalar(key)) continue
        if (seen.has(String(key.value))) {
          duplicate = key
          return visit.BREAK
        }
        seen.add(String(key.value))
      }
      return undefined
    },
  })
  return duplicate
}
