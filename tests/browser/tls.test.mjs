// # Behind a proxy that does TLS: the cookie of the defaults
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { atEnd, fillCart, inspect, isLoggedIn, logIn, openBrowser, scratch, sessionCookie } from "./browser.mjs";
import { startDemo } from "./demo.mjs";
import { startProxy } from "./proxy.mjs";

test("TheStrictestCookieIsKeptByTheBrowserAndTakenByTheServer", async (t) => {
  const place = scratch(t);
  const demo = await startDemo(t, "--port", "0", "--store", `sqlite:${join(place, "shop.db")}`, "--behind-https-proxy");
  const proxy = await startProxy(place, demo.port);
  atEnd(t, () => proxy.stop());
  const browser = await openBrowser(t, join(place, "profile"), { baseURL: proxy.address, ignoreHTTPSErrors: true });
  const [page] = browser.pages();

  await fillCart(page, "bread", 2);
  await logIn(page, { keep: true });
  const cookie = await sessionCookie(browser, "__Host-Http-sid");
  assert.ok(cookie, "the browser kept it");
  assert.deepEqual([cookie.secure, cookie.httpOnly, cookie.sameSite, cookie.path, cookie.domain], [true, true, "Lax", "/", "localhost"]);
  assert.equal(await page.evaluate(() => document.cookie), "", "no script sees it");
  await page.reload();
  assert.ok(await isLoggedIn(page));
  await page.goto("/devices");
  await inspect(page, "devices-tls");
  await page.getByText("From 127.0.0.1").waitFor();

  // A script cannot plant one, and nobody can over plain HTTP.
  await page.evaluate(() => { document.cookie = "__Host-Http-sid=x; Path=/; Secure"; });
  assert.equal((await sessionCookie(browser, "__Host-Http-sid")).value, cookie.value);

  await page.getByRole("button", { name: "Log out" }).click();
  await page.getByText("You are logged out").waitFor();
  assert.equal(await sessionCookie(browser, "__Host-Http-sid"), undefined);
  await demo.stop();
});
