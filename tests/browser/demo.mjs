// # The demo as a child process
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { atEnd } from "./browser.mjs";

// Starts it and gives { address, port, stop }. It tells its address when it is
// open.
export async function startDemo(t, ...argv) {
  const child = spawn(process.env.SANCHO_DEMO, argv, { stdio: ["ignore", "pipe", "inherit"] });
  atEnd(t, () => child.kill("SIGKILL"));
  let said = "";
  const ended = once(child, "exit");
  const address = await new Promise((resolve, reject) => {
    child.stdout.on("data", (text) => {
      said += text;
      const found = said.match(/http:\/\/\S+/);
      if (found) resolve(found[0].replace(/\/$/, ""));
    });
    ended.then(([code]) => reject(new Error(`the demo ended with ${code}: ${said}`)));
  });
  return {
    address,
    port: new URL(address).port,
    async stop() {
      child.kill("SIGTERM");
      const [code] = await ended;
      assert.equal(code, 0, "the demo ends well");
    },
  };
}
