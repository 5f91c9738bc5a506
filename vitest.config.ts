import type { ViteUserConfig as UserConfig } from "vitest/config";

const config: UserConfig = {
  test: {
    include: ["test/**/*.test.ts"],
    setupFiles: ["test/support/fixed-seed.ts"],
    // Two cores: more workers than that only make the timing of the socket tests worse.
    maxWorkers: 2,
    // Only for what hangs: longer than the waits inside, which say what they wait for, on a busy machine too.
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
};

export default config;
