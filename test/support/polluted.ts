/** Runs `work` in a realm where every object inherits `name`, and cleans up whatever happens. The work is
 * synchronous up to its result, so that no other test sees it. */
export function withPolluted<T>(name: string, value: unknown, work: () => T): T {
  Object.defineProperty(Object.prototype, name, { value, configurable: true, writable: true })
  try {
    return work()
  } finally {
    Reflect.deleteProperty(Object.prototype, name)
  }
}
