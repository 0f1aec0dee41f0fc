import { defineConfig } from 'vitest/config'

// One process per file keeps handles, ports and environment of one suite out of another's way.
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 60_000,
    restoreMocks: true,
    // LangSmith posts state to a web service whenever this is set in the caller's environment.
    env: { LANGSMITH_TRACING: 'false', LANGCHAIN_TRACING_V2: 'false' },
  },
})
