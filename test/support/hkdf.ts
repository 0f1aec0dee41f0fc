import { createHmac } from 'node:crypto'

/** HKDF-SHA256 written out from RFC 5869 §2, to check the runtime's against. */
export function hkdfSha256(
  secret: Uint8Array,
  salt: Uint8Array,
  info: Uint8Array,
  length: number,
): Uint8Array {
  const pseudorandomKey = createHmac('sha256', salt.length > 0 ? salt : Buffer.alloc(32))
    .update(secret)
    .digest()
  const blocks: Buffer[] = []
  for (let counter = 1, block = Buffer.alloc(0); blocks.length * 32 < length; counter++) {
    block = createHmac('sha256', pseudorandomKey)
      .update(block)
      .update(info)
      .update(Buffer.of(counter))
      .digest()
    blocks.push(block)
  }
  return Buffer.concat(blocks).subarray(0, length)
}
