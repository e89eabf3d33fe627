import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** The simulated hosts that take longest, first: what runs beside them is done before they are. */
const longest = ["lab-board", "lab-rounds"];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => {
      const index = longest.findIndex((name) => moduleId.includes(name));
      return index === -1 ? longest.length : index;
    };
    return (await super.sort(files)).sort((a, b) => place(a) - place(b));
  }
}

export default defineConfig({
  test: {
    root: new URL("..", import.meta.url).pathname,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: ["test/e2e/**", "**/node_modules/**"],
          // Properties over hundreds of random profiles take their time on a busy machine; no test is timed.
          testTimeout: 120_000,
        },
      },
      {
        extends: true,
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          exclude: ["test/e2e/lab*.test.ts", "**/node_modules/**"],
          fileParallelism: false,
          maxConcurrency: 2,
          // Without KVM a guest of many vCPUs on few busy CPUs now and then loses a wake-up and stands still.
          retry: 1,
          testTimeout: 300_000,
          hookTimeout: 600_000,
        },
      },
      {
        extends: true,
        // Guests with KVM in the simulated hosts, where everything is emulated once or twice: minutes each.
        test: {
          name: "lab",
          include: ["test/e2e/lab*.test.ts"],
          // For the rehearsal; the suites' own further tries are in the rig.
          retry: 2,
          testTimeout: 1_800_000,
          hookTimeout: 1_800_000,
        },
      },
    ],
  },
});
