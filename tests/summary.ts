/** The last lines of a test run: the golden cases by group, then what passed, failed and was skipped, for people and for CI. */
import type { Reporter, TestModule, TestRunEndReason } from "vitest/node";
import { goldenTable } from "./golden/tally.ts";

export default class Summary implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[], reason: TestRunEndReason): void {
    const counts = { passed: 0, failed: errors.length, skipped: 0 };
    for (const module of modules) {
      let tests = 0;
      for (const test of module.children.allTests()) {
        tests++;
        const { state } = test.result();
        if (state === "passed" || state === "failed" || state === "skipped") counts[state]++;
      }
      // A file that could not even be read has no tests to count.
      if (tests === 0 && module.state() === "failed") counts.failed++;
    }
    if (reason === "interrupted") counts.failed++;
    const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : "";
    for (const module of modules) {
      const table = goldenTable(module);
      if (table) process.stdout.write(`\n${table}\n`);
    }
    process.stdout.write(`\n${counts.passed} passed, ${counts.failed} failed${skipped}\n`);
  }
}
