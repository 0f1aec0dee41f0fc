/**
 * Every text that code could find which holds a value: along properties, getters, prototypes and collections. What
 * every program has anyway (the realm's own constructors) is left out.
 */
export function reachable(root: unknown): string {
  const texts: string[] = []
  const seen = realm()
  const open: object[] = []
  const find = (value: unknown) => {
    if (typeof value === 'string') texts.push(value)
    if ((typeof value !== 'object' && typeof value !== 'function') || value === null || seen.has(value))
      return
    seen.add(value)
    open.push(value)
  }
  find(root)
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (value instanceof Map || value instanceof Set) for (const item of [...value].flat()) find(item)
    for (const key of keysOf(value)) {
      find(typeof key === 'symbol' ? key.description : key)
      // A getter is asked of the value itself: of a prototype it would compute, and keep, something wrong.
      if (key === 'prototype') continue
      try {
        find(Reflect.get(value, key))
      } catch {
        // A getter that has nothing to say here.
      }
    }
  }
  return texts.join('\n')
}

function realm(): Set<unknown> {
  const shared = new Set<unknown>([globalThis])
  for (const name of Object.getOwnPropertyNames(globalThis)) {
    const value: unknown = Object.getOwnPropertyDescriptor(globalThis, name)?.value
    if (typeof value === 'function') shared.add(value).add(value.prototype)
  }
  return shared
}

/** Its own and the inherited. */
function keysOf(value: object): Set<string | symbol> {
  const keys = new Set(Reflect.ownKeys(value))
  for (let parent = Object.getPrototypeOf(value); parent !== null; parent = Object.getPrototypeOf(parent))
    for (const key of Reflect.ownKeys(parent as object)) keys.add(key)
  return keys
}
