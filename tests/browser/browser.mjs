// # The browser, and what is asked of every page
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import axe from "axe-core";
import { chromium } from "playwright-core";

const screenshots = process.env.SANCHO_SCREENSHOTS;
mkdirSync(screenshots, { recursive: true });

// Runs at the end of the test, however it ends: the last one given first.
const clearings = new WeakMap();
export function atEnd(t, clear) {
  if (!clearings.has(t)) {
    clearings.set(t, []);
    t.after(async () => {
      for (const next of clearings.get(t).reverse()) await next();
    });
  }
  clearings.get(t).push(clear);
}

// A directory of the test's own, removed at its end.
export function scratch(t) {
  const path = mkdtempSync(join(tmpdir(), "sancho-browser-"));
  atEnd(t, () => rmSync(path, { recursive: true, force: true, maxRetries: 5 }));
  return path;
}

// A browser with the profile in `profile`, as a user has it: what it keeps, it
// keeps there.
export async function openBrowser(t, profile, options = {}) {
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: "/usr/bin/chromium",
    headless: true,
    viewport: { width: 1200, height: 800 },
    args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"],
    ...options,
  });
  context.setDefaultTimeout(15000);
  context.complaints = [];
  context.on("console", (message) => {
    // The browser says so when the Content-Security-Policy stopped something.
    if (/Content.Security.Policy/i.test(message.text())) context.complaints.push(message.text());
  });
  atEnd(t, () => context.close());
  return context;
}

// Looks at the page as it stands: accessible, whole, and a picture of it kept.
export async function inspect(page, name) {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  const told = violations.map((v) => `${v.id}: ${v.help}\n  ${v.nodes.map((n) => n.html).join("\n  ")}`);
  assert.deepEqual(told, [], `axe-core on ${name}`);
  assert.deepEqual(page.context().complaints, [], `the policy against foreign content, on ${name}`);
  await page.screenshot({ path: join(screenshots, `${name}.png`), fullPage: true });
}

export async function logIn(page, { keep = false, name = "sancho", password = "barataria-1615" } = {}) {
  await page.goto("/login");
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("Password").fill(password);
  if (keep) await page.getByLabel("Keep me logged in on this device").check();
  await page.getByRole("main").getByRole("button", { name: "Log in" }).click();
  await page.getByText("Good to see you").waitFor();
}

export async function fillCart(page, sku, quantity) {
  await page.goto(`/product/${sku}`);
  await page.getByLabel("Quantity").fill(String(quantity));
  await page.getByRole("button", { name: "Add to cart" }).click();
  await page.getByText("in your cart.").waitFor();
}

export async function sessionCookie(context, name) {
  const found = (await context.cookies()).filter((cookie) => cookie.name === name);
  assert.ok(found.length <= 1);
  return found[0];
}

export const isLoggedIn = (page) => page.getByRole("button", { name: "Log out" }).isVisible();
