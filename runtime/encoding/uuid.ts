/** UUID version 7 (RFC 9562 §5.7): sorts by the millisecond it was made in. */
import { randomUUID } from 'node:crypto'
import type { Clock } from '../clock.js'

const randomV4 = randomUUID

/** Makes an id; 74 random bits within one millisecond. Ids of one millisecond have no order among themselves.
 * @param random a version 4 UUID, whose random bits are used */
export function newUuid(clock: Clock, random: () => string = randomV4): string {
  const time = clock.nowMs().toString(16).padStart(12, '0')
  // `xxxxxxxx-xxxx-4xxx-yxxx-…`: time replaces the first 48 bits, 7 the version; the variant `y` is the same.
  return `${time.slice(0, 8)}-${time.slice(8)}-7${random().slice(15)}`
}
