// Runs the browser test, or says why it cannot and gives 77; in CI that is a
// failure.
import { spawnSync } from "node:child_process";
import { accessSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));

// The oldest that runs the tests one after the other; playwright-core takes 18.
const oldest = "18.19.0";

const isOlder = (version, than) => version.localeCompare(than, "en", { numeric: true }) < 0;

async function missing() {
  const { node } = process.versions;
  if (isOlder(node, oldest)) return `it needs Node.js ${oldest} or later, and this is ${node}`;
  try {
    accessSync("/usr/bin/chromium");
  } catch {
    return "there is no /usr/bin/chromium";
  }
  try {
    await import("playwright-core");
    await import("axe-core");
  } catch (error) {
    return `npm's packages are not installed in tests/browser (${error.code})`;
  }
  if (spawnSync("openssl", ["version"]).error) return "there is no openssl program";
}

const reason = await missing();
if (reason) {
  console.log(`SKIPPED: the browser test, because ${reason}`);
  process.exit(process.env.CI === "true" ? 1 : 77);
}
const tests = ["shop.test.mjs", "tls.test.mjs"].map((name) => join(here, name));
process.exit(spawnSync(process.execPath, ["--test", "--test-concurrency=1", ...tests], { stdio: "inherit" }).status ?? 1);
