import type { ViteUserConfig as UserConfig } from "vitest/config";

const config: UserConfig = {
  test: {
    include: ["test/**/*.test.ts"],
    // Two cores: more workers than that only make the timing of the socket tests worse.
    maxWorkers: 2,
    testTimeout: 20_000,
    hookTimeout: 60_000,
  },
};

export default config;
