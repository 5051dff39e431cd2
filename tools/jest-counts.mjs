import { writeFileSync } from 'node:fs';

/** Writes plain counts for tools/run.mjs: a suite that could not run at all counts as one failure. */
export default class Counts {
  onRunComplete(_contexts, results) {
    const file = process.env.SLUICE_TEST_COUNTS;
    if (file === undefined) return;
    const counts = {
      passed: results.numPassedTests,
      failed: results.numFailedTests + results.numRuntimeErrorTestSuites,
      skipped: results.numPendingTests + results.numTodoTests,
      skippedBecause: reasons(results),
    };
    writeFileSync(file, JSON.stringify(counts));
  }
}

/** Suites skipped by test/harness/needs.ts carry the reason in their title. */
function reasons(results) {
  const titles = results.testResults
    .flatMap((suite) => suite.testResults)
    .filter((test) => test.status === 'pending')
    .flatMap((test) => test.ancestorTitles.filter((title) => title.includes('[needs ')));
  return [...new Set(titles)];
}
