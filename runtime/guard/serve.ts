/** Puts a guarded resource on loopback. */
import type { AddressInfo } from 'node:net'
import { createAdaptorServer } from '@hono/node-server'
import { AgenticError } from '../errors.js'
import type { GuardDeps } from './deps.js'
import { createResourceHandler, type GuardedResource } from './resource.js'

/** Longest header of a call, in bytes: token and proof of 16 KiB each, a chain of 8 (PROTOCOL 1, 8), and as much for
 * everything else. Node's own limit, 16 in all, turns away calls that the guard would take. Beyond: 431, no body.
 */
export const maxHeaderSize = 48 * 1024

export interface ServedResource {
  readonly id: string
  /** Base URL, which is also the audience. */
  readonly url: string
  close(): Promise<void>
}

/** Listens on a free port of 127.0.0.1. @throws AgenticError ERR_LISTEN_FAILED when it cannot listen */
export async function serveResource(resource: GuardedResource, deps: GuardDeps): Promise<ServedResource> {
  let handler: ((request: Request) => Promise<Response>) | undefined
  const server = createAdaptorServer({
    fetch: (request: Request) => (handler ? handler(request) : new Response(null, { status: 503 })),
    overrideGlobalObjects: false,
    serverOptions: { maxHeaderSize },
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) =>
      reject(new AgenticError('ERR_LISTEN_FAILED', 'no loopback port could be opened', { cause })),
    )
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  const url = `http://127.0.0.1:${port}`
  handler = createResourceHandler(resource, url, deps)
  return {
    id: resource.id,
    url,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        if ('closeAllConnections' in server) server.closeAllConnections()
      }),
  }
}
