import { defineConfig } from "vitest/config";

const WEBGPU_LESSONS = "tests/webgpu/lessons.test.ts";
/** A software adapter takes its time. */
const webgpu = { testTimeout: 300_000, hookTimeout: 120_000, fileParallelism: false };

export default defineConfig({
  test: {
    reporters: ["default", "./tests/summary.ts"],
    // Chromium, the build and the numbers share two cores in CI.
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: "unit",
          include: ["tests/{engine,golden,lessons,site}/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: "browser",
          include: ["tests/e2e/**/*.test.ts"],
          globalSetup: ["tests/e2e/setup.ts"],
          testTimeout: 180_000,
          hookTimeout: 180_000,
          fileParallelism: false,
          // A busy machine may hold up a page for seconds; what fails twice is a defect.
          retry: 1,
        },
      },
      {
        test: {
          ...webgpu,
          name: "webgpu",
          include: ["tests/webgpu/**/*.test.ts"],
          exclude: [WEBGPU_LESSONS],
        },
      },
      {
        // Apart, since kernels are tested without a built site.
        test: {
          ...webgpu,
          name: "webgpu-lessons",
          include: [WEBGPU_LESSONS],
          globalSetup: ["tests/e2e/setup.ts"],
          retry: 1,
        },
      },
    ],
  },
});
