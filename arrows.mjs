/**
 * The one table of rooms and arrows: which room may import which. The dependency rules are generated
 * from it, and CI checks them (`npm test`). Change an arrow here, with the reason in the commit.
 *
 * Every room may also import the `loose` files at the end.
 */
export const arrows = {
  encoding: [],
  keys: ['encoding'],
  identity: ['encoding', 'keys'],
  tokens: ['encoding', 'keys', 'identity'],
  delegation: ['encoding', 'keys', 'identity', 'tokens'],
  audit: ['encoding', 'keys'],
  workflow: ['encoding', 'delegation'],
  execution: ['encoding', 'keys', 'identity', 'workflow'],
  client: ['encoding', 'keys', 'identity', 'tokens', 'delegation'],
  // Guard and authority implement ports that client and engine declare; `portsOnly` below keeps that to types.
  guard: ['encoding', 'keys', 'identity', 'tokens', 'delegation', 'audit', 'client'],
  authority: [
    'encoding',
    'keys',
    'identity',
    'tokens',
    'delegation',
    'workflow',
    'execution',
    'audit',
    'client',
    'engine',
  ],
  isolation: ['encoding', 'client', 'keys', 'identity'],
  // The engine digests what it commits (encoding) and signs receipts with its own key (keys).
  engine: [
    'encoding',
    'keys',
    'identity',
    'delegation',
    'workflow',
    'execution',
    'client',
    'isolation',
    'audit',
  ],
  store: ['encoding', 'identity', 'execution', 'authority', 'guard', 'engine', 'audit', 'tokens'],
  // The rooms' own functions for programs without a runtime: outside data parsed first, clock and key ring filled in.
  proofs: ['encoding', 'keys', 'identity', 'tokens', 'delegation'],
  cli: ['audit', 'delegation', 'encoding', 'execution', 'keys', 'tokens', 'workflow'],
}

/** Who may import only types from whom: an adapter implements a port, it never calls the room that declares it. */
export const portsOnly = {
  store: ['execution', 'authority', 'guard', 'engine', 'tokens', 'identity'],
  guard: ['client'],
  authority: ['client', 'engine'],
}

/**
 * Files that are reached from everywhere. `sqlite` picks a native build: the store and the lock of the audit
 * log must pick alike, and neither may import the other.
 */
export const loose = ['errors', 'clock', 'sqlite']
