import { describe, expect, it } from 'vitest'
import { readBounded } from '../../runtime/encoding/bounded-body.js'

/** A body of these chunks, which says how many were taken from it and whether it was cancelled. */
function bodyOf(chunks: readonly Uint8Array[]) {
  const seen = { taken: 0, cancelled: false }
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const chunk = chunks[seen.taken]
        if (chunk === undefined) return controller.close()
        seen.taken += 1
        controller.enqueue(chunk)
      },
      cancel() {
        seen.cancelled = true
      },
    },
    { highWaterMark: 0 },
  )
  return { body, seen }
}

const chunks = [Uint8Array.of(1, 2), Uint8Array.of(), Uint8Array.of(3), Uint8Array.of(4, 5)]

describe('a body with a limit', () => {
  it('comes whole and in order when it is as long as the limit', async () => {
    const { body, seen } = bodyOf(chunks)
    expect(await readBounded(body, 5)).toEqual(Uint8Array.of(1, 2, 3, 4, 5))
    expect(seen).toEqual({ taken: 4, cancelled: false })
  })

  it('is given up at the first chunk that goes beyond the limit', async () => {
    const { body, seen } = bodyOf(chunks)
    expect(await readBounded(body, 2)).toBeUndefined()
    expect(seen).toEqual({ taken: 3, cancelled: true })
    expect(await readBounded(bodyOf(chunks).body, 4)).toBeUndefined()
    expect(await readBounded(bodyOf(chunks).body, 0)).toBeUndefined()
  })

  it('may be missing or empty', async () => {
    expect(await readBounded(null, 0)).toEqual(new Uint8Array(0))
    expect(await readBounded(bodyOf([]).body, 0)).toEqual(new Uint8Array(0))
    expect(await readBounded(new Request('https://repo.example', { method: 'POST' }).body, 0)).toHaveLength(0)
  })

  it('has bytes of its own: what the sender does to its buffer later changes nothing', async () => {
    const buffer = Uint8Array.of(1, 2, 3)
    const read = await readBounded(bodyOf([buffer.subarray(0, 2)]).body, 5)
    buffer.fill(0)
    expect(read).toEqual(Uint8Array.of(1, 2))
    expect(read?.buffer.byteLength).toBe(2)
  })

  it('that breaks off is the sender’s error, not a shorter body', async () => {
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(Uint8Array.of(1))
        controller.error(new Error('connection lost'))
      },
    })
    await expect(readBounded(body, 5)).rejects.toThrow('connection lost')
  })
})
