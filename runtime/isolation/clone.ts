/**
 * Copies values as they cross between the engine and an agent, so that neither can change what the other
 * holds. Keeps prototypes, because LangGraph's messages, `Command` and `Send` are told by theirs:
 * structuredClone and the checkpoint serializer both lose them.
 */

/** What may cross. Everything may, where a rule is not given. */
export interface CloneRules {
  /** Asked for every prototype but those of plain objects and of the built-in data types. */
  readonly keeps?: (prototype: object) => boolean
  /** False: a function is refused, since it would carry its owner's closure along. */
  readonly functions?: boolean
}

const typedArrayTag = Object.getOwnPropertyDescriptor(
  Object.getPrototypeOf(Uint8Array.prototype) as object,
  Symbol.toStringTag,
)?.get as (this: unknown) => string | undefined

const typedArrays: Readonly<Record<string, new (source: ArrayLike<never>) => object>> = {
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
}

/** Objects whose contents live in slots that no copy can reach. */
const opaque = [Promise, WeakMap, WeakSet, WeakRef]

/**
 * A deep copy that shares nothing mutable with the original and is frozen, except that a Map, Set, Date or
 * typed array stays changeable by its own methods: the copy is the receiver's alone.
 * @throws TypeError naming what must not cross
 */
export function cloneFrozen<T>(value: T, rules: CloneRules = {}): T {
  return copy(value, { rules, freeze: true, seen: new Map() }) as T
}

/** A deep copy that the receiver may change. @throws TypeError naming what must not cross */
export function cloneThawed<T>(value: T, rules: CloneRules = {}): T {
  return copy(value, { rules, freeze: false, seen: new Map() }) as T
}

interface Copying {
  readonly rules: CloneRules
  readonly freeze: boolean
  /** Original to copy: keeps shared references shared, and ends cycles. */
  readonly seen: Map<object, object>
}

function copy(value: unknown, copying: Copying): unknown {
  if (typeof value === 'function') {
    if (copying.rules.functions === false) throw new TypeError('a function must not cross')
    return value
  }
  if (typeof value !== 'object' || value === null) return value
  const known = copying.seen.get(value)
  if (known !== undefined) return known
  if (Array.isArray(value)) return copyArray(value, copying)
  const prototype = Object.getPrototypeOf(value) as object | null
  if (prototype === Object.prototype || prototype === null) return copyPlain(value, prototype, copying)
  return copyBuiltIn(value, prototype, copying) ?? copyInstance(value, prototype, copying)
}

function copyArray(value: readonly unknown[], copying: Copying): unknown[] {
  const made: unknown[] = new Array(value.length)
  const prototype = Object.getPrototypeOf(value) as object | null
  if (prototype !== Array.prototype) {
    requireKept(prototype, copying)
    Object.setPrototypeOf(made, prototype)
  }
  copying.seen.set(value, made)
  for (let index = 0; index < value.length; index += 1) made[index] = copy(value[index], copying)
  return copying.freeze ? (Object.freeze(made) as unknown[]) : made
}

function copyPlain(value: object, prototype: object | null, copying: Copying): object {
  const made: Record<PropertyKey, unknown> = prototype === null ? Object.create(null) : {}
  copying.seen.set(value, made)
  for (const key of Object.keys(value)) {
    const item = copy((value as Record<string, unknown>)[key], copying)
    // An assignment to this one name would set the copy's prototype instead.
    if (key === '__proto__') define(made, key, item, true)
    else made[key] = item
  }
  for (const key of Object.getOwnPropertySymbols(value)) {
    if (Object.prototype.propertyIsEnumerable.call(value, key)) {
      made[key] = copy((value as Record<symbol, unknown>)[key], copying)
    }
  }
  return copying.freeze ? Object.freeze(made) : made
}

/** Data types with slots of their own; undefined for anything else. */
function copyBuiltIn(value: object, prototype: object, copying: Copying): object | undefined {
  const tag = typedArrayTag.call(value)
  const TypedArray = tag === undefined ? undefined : typedArrays[tag]
  if (TypedArray) return keepPrototype(new TypedArray(value as ArrayLike<never>), prototype, value, copying)
  if (value instanceof Date) return keepPrototype(new Date(value.getTime()), prototype, value, copying)
  if (value instanceof Map) {
    const made = keepPrototype(new Map<unknown, unknown>(), prototype, value, copying)
    for (const [key, item] of value) Map.prototype.set.call(made, copy(key, copying), copy(item, copying))
    return copying.freeze ? Object.freeze(made) : made
  }
  if (value instanceof Set) {
    const made = keepPrototype(new Set<unknown>(), prototype, value, copying)
    for (const item of value) Set.prototype.add.call(made, copy(item, copying))
    return copying.freeze ? Object.freeze(made) : made
  }
  if (value instanceof RegExp) return keepPrototype(new RegExp(value), prototype, value, copying)
  if (value instanceof URL) return keepPrototype(new URL(value.href), prototype, value, copying)
  if (value instanceof ArrayBuffer) return keepPrototype(value.slice(0), prototype, value, copying)
  if (opaque.some((Type) => value instanceof Type))
    throw new TypeError('a promise or weak reference must not cross')
  return undefined
}

const ownPrototypes = new Set<object>([
  ...Object.values(typedArrays).map((Type) => Type.prototype as object),
  Buffer.prototype,
  Date.prototype,
  Map.prototype,
  Set.prototype,
  RegExp.prototype,
  URL.prototype,
  ArrayBuffer.prototype,
])

function keepPrototype<T extends object>(made: T, prototype: object, original: object, copying: Copying): T {
  if (!ownPrototypes.has(prototype)) requireKept(prototype, copying)
  if (Object.getPrototypeOf(made) !== prototype) Object.setPrototypeOf(made, prototype)
  copying.seen.set(original, made)
  return made
}

function copyInstance(value: object, prototype: object, copying: Copying): object {
  requireKept(prototype, copying)
  const made = Object.create(prototype) as object
  copying.seen.set(value, made)
  for (const key of Reflect.ownKeys(value)) {
    const descriptor = Object.getOwnPropertyDescriptor(value, key)
    if (!descriptor) continue
    // An accessor would still read its owner's variables: the copy gets what it says now.
    const item = 'value' in descriptor ? descriptor.value : Reflect.get(value, key)
    define(made, key, copy(item, copying), descriptor.enumerable === true)
  }
  return copying.freeze ? Object.freeze(made) : made
}

function requireKept(prototype: object | null, copying: Copying): void {
  const { keeps } = copying.rules
  if (prototype === null || (keeps && !keeps(prototype))) {
    throw new TypeError('an instance of a class that is not plain data must not cross')
  }
}

function define(target: object, key: PropertyKey, value: unknown, enumerable: boolean): void {
  Object.defineProperty(target, key, { value, enumerable, writable: true, configurable: true })
}
