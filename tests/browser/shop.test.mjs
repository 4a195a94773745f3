// # A customer's day, in a real browser
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { fillCart, inspect, isLoggedIn, logIn, openBrowser, scratch, sessionCookie } from "./browser.mjs";
import { startDemo } from "./demo.mjs";

async function open(t, { profile = "profile" } = {}) {
  const place = scratch(t);
  const store = `sqlite:${join(place, "shop.db")}`;
  const demo = await startDemo(t, "--port", "0", "--store", store);
  const browser = await openBrowser(t, join(place, profile), { baseURL: demo.address });
  return { place, store, demo, browser, page: browser.pages()[0] };
}

test("WhoOnlyLooksGetsNoCookie", async (t) => {
  const { demo, browser, page } = await open(t);
  await page.goto("/");
  await inspect(page, "shop");
  assert.deepEqual(await browser.cookies(), []);
  await page.goto("/cart");
  await inspect(page, "cart-empty");
  await page.goto("/nowhere");
  await inspect(page, "not-found");
  assert.deepEqual(await browser.cookies(), []);
  await demo.stop();
});

test("WhoAskedToBeKeptIsStillLoggedInAfterBrowserAndServerWereClosed", async (t) => {
  const { place, store, demo, browser, page } = await open(t);
  await fillCart(page, "cheese", 2);
  await page.goto("/login");
  await inspect(page, "login");
  const before = await sessionCookie(browser, "sid");
  await logIn(page, { keep: true });
  await inspect(page, "shop-logged-in");
  const after = await sessionCookie(browser, "sid");
  assert.notEqual(after.value, before.value, "a login gives a new id");
  assert.ok(after.httpOnly && after.sameSite === "Lax");
  assert.ok(after.expires > Date.now() / 1000 + 29 * 86400, "kept for thirty days");
  await page.reload();
  assert.equal(await page.getByText("Good to see you").count(), 0, "a message is shown once");

  await browser.close();
  await demo.stop();
  const again = await startDemo(t, "--port", demo.port, "--store", store);
  const reopened = await openBrowser(t, join(place, "profile"), { baseURL: again.address });
  const [back] = reopened.pages();
  await back.goto("/");
  assert.ok(await isLoggedIn(back));
  await back.getByText("Welcome, Sancho Panza.").waitFor();
  await back.goto("/cart");
  assert.equal(await back.getByLabel("Quantity of Manchego, a wheel").inputValue(), "2", "the visitor's cart came along");
  await again.stop();
});

test("WhoDidNotAskIsForgottenWithTheBrowser", async (t) => {
  const { place, demo, browser, page } = await open(t);
  await logIn(page);
  assert.equal((await sessionCookie(browser, "sid")).expires, -1);
  await browser.close();
  const [back] = (await openBrowser(t, join(place, "profile"), { baseURL: demo.address })).pages();
  await back.goto("/");
  assert.ok(!(await isLoggedIn(back)));
  await demo.stop();
});

test("AWrongPasswordIsSaid", async (t) => {
  const { demo, page } = await open(t);
  await page.goto("/login");
  await page.getByLabel("Name").fill("sancho");
  await page.getByLabel("Password").fill("dapple");
  await page.getByRole("main").getByRole("button", { name: "Log in" }).click();
  await page.getByRole("alert").getByText("do not go together").waitFor();
  await inspect(page, "login-wrong");
  assert.equal(await page.getByLabel("Name").inputValue(), "sancho");
  await demo.stop();
});

test("WhoGuessesAPasswordIsToldToWait", async (t) => {
  const { demo, page } = await open(t);
  await page.goto("/login");
  const guess = async (answer) => {
    await page.getByLabel("Name").fill("quixote");
    await page.getByLabel("Password").fill("dulcinea");
    const [answered] = await Promise.all([
      page.waitForResponse((response) => response.request().method() === "POST"),
      page.waitForEvent("load"),
      page.getByRole("main").getByRole("button", { name: "Log in" }).click(),
    ]);
    assert.equal(answered.status(), answer);
  };
  for (let i = 0; i < 5; ++i) await guess(401);
  await guess(429);
  await page.getByRole("alert").getByText("Too many tries").waitFor();
  await inspect(page, "login-too-often");
  await demo.stop();
});

test("TheCartIsChangedAndEmptied", async (t) => {
  const { demo, page } = await open(t);
  await page.goto("/product/wine");
  await inspect(page, "product");
  await fillCart(page, "wine", 1);
  await fillCart(page, "bread", 3);
  await inspect(page, "cart");
  await page.getByText("€ 25.90").waitFor();
  await page.getByLabel("Quantity of Country loaf").fill("1");
  await page.getByRole("button", { name: "Update Country loaf" }).click();
  await page.getByText("€ 18.30").waitFor();
  for (const name of ["Country loaf", "Valdepeñas, a wineskin"]) {
    await page.getByLabel(`Quantity of ${name}`).fill("0");
    await page.getByRole("button", { name: `Update ${name}` }).click();
    await page.getByText("Your cart is changed.").waitFor();
  }
  await page.getByText("There is nothing in it yet.").waitFor();
  await demo.stop();
});

test("AnOrderIsPlacedOnceHoweverOftenItIsSent", async (t) => {
  const { demo, browser, page } = await open(t);
  await logIn(page);
  await fillCart(page, "saddlebag", 1);
  await page.getByRole("link", { name: "Order", exact: true }).click();
  await inspect(page, "order");
  // What the browser would not send is sent, to see the server refuse it.
  await page.locator("form[action='/order']").evaluate((form) => { form.noValidate = true; });
  await page.getByRole("button", { name: "Place the order" }).click();
  await page.getByText("Please say where to").waitFor();
  await inspect(page, "order-without-address");
  const field = (name) => page.locator(`main input[name=${name}]`).inputValue();
  const form = { csrf: await field("csrf"), form_token: await field("form_token"), address: "The inn, La Mancha" };
  await page.getByLabel("Where to?").fill(form.address);
  await page.getByRole("button", { name: "Place the order" }).dblclick();
  // Which of the two answers is shown is the browser's business.
  await page.getByText(/Thank you! Your order is|This form has been sent before/).waitFor();
  await page.goto("/orders");
  await page.getByRole("cell", { name: form.address }).waitFor();
  await inspect(page, "orders");
  const ids = () => page.locator("tbody th code").allTextContents();
  const first = await ids();
  assert.equal(first.length, 1);
  assert.match(first[0], /^[0-9a-f]{16}$/);

  // The same form again, by hand and several at a time.
  const send = () => browser.request.post("/order", { form, maxRedirects: 0, headers: { Origin: demo.address } });
  const statuses = (await Promise.all(Array.from({ length: 8 }, send))).map((answer) => answer.status());
  assert.deepEqual(statuses, Array(8).fill(409));

  // And by the browser, with other things in the cart.
  await fillCart(page, "lantern", 1);
  await page.goto("/order");
  await page.locator("main input[name=form_token]").evaluate((input, used) => { input.value = used; }, form.form_token);
  await page.getByLabel("Where to?").fill("Barataria");
  await page.getByRole("button", { name: "Place the order" }).click();
  await page.getByText("Nothing was ordered a second time.").waitFor();
  await inspect(page, "ordered-before");
  await page.goto("/orders");
  assert.deepEqual(await ids(), first);
  await demo.stop();
});

test("OfManySubmissionsAtOnceOneOrders", async (t) => {
  const { demo, browser, page } = await open(t);
  await logIn(page);
  await fillCart(page, "basin", 1);
  await page.goto("/order");
  const field = (name) => page.locator(`main input[name=${name}]`).inputValue();
  const form = { csrf: await field("csrf"), form_token: await field("form_token"), address: "Sierra Morena" };
  const send = () => browser.request.post("/order", { form, maxRedirects: 0, headers: { Origin: demo.address } });
  const answers = await Promise.all(Array.from({ length: 8 }, send));
  const statuses = answers.map((answer) => answer.status()).sort();
  assert.deepEqual(statuses, [303, ...Array(7).fill(409)]);
  await page.setContent(await answers.find((answer) => answer.status() === 409).text());
  await page.getByText("Nothing was ordered a second time.").waitFor();
  await page.goto("/orders");
  assert.equal(await page.locator("tbody tr").count(), 1);
  await demo.stop();
});

test("EndingAllOthersLogsTheOtherDeviceOut", async (t) => {
  const { place, demo, page } = await open(t);
  await logIn(page);
  const other = await openBrowser(t, join(place, "other"), { baseURL: demo.address });
  const [phone] = other.pages();
  await logIn(phone, { keep: true });
  const third = await openBrowser(t, join(place, "third"), { baseURL: demo.address });
  const [tablet] = third.pages();
  await logIn(tablet);

  await page.goto("/devices");
  assert.equal(await page.getByRole("main").getByRole("listitem").count(), 3);
  await inspect(page, "devices");
  await page.getByRole("button", { name: /^End Chrome/ }).first().click();
  await page.getByText("That device is logged out.").waitFor();
  await tablet.reload();
  assert.ok(!(await isLoggedIn(tablet)), "the latest of the others");
  await page.getByRole("button", { name: "End all others" }).click();
  await page.getByText("One other device is logged out.").waitFor();
  await phone.goto("/");
  assert.ok(!(await isLoggedIn(phone)));
  await page.goto("/");
  assert.ok(await isLoggedIn(page));
  await demo.stop();
});

test("LogoutEndsTheSessionInEveryTab", async (t) => {
  const { demo, browser, page } = await open(t);
  await logIn(page, { keep: true });
  const tab = await browser.newPage();
  await tab.goto("/");
  const { value } = await sessionCookie(browser, "sid");
  await page.getByRole("button", { name: "Log out" }).click();
  await page.getByText("You are logged out").waitFor();
  await inspect(page, "goodbye");
  assert.equal(await sessionCookie(browser, "sid"), undefined);
  await tab.reload();
  assert.ok(!(await isLoggedIn(tab)));

  // Who kept the old cookie has nothing in it.
  await browser.addCookies([{ name: "sid", value, url: demo.address }]);
  await page.goto("/");
  assert.ok(!(await isLoggedIn(page)));
  await demo.stop();
});

test("AFormFromBeforeTheLogoutIsRefused", async (t) => {
  const { demo, browser, page } = await open(t);
  await logIn(page);
  const tab = await browser.newPage();
  await tab.goto("/product/lantern");
  await page.getByRole("button", { name: "Log out" }).click();
  await page.getByText("You are logged out").waitFor();
  await tab.getByRole("button", { name: "Add to cart" }).click();
  await tab.getByText("This form is too old").waitFor();
  await inspect(tab, "form-too-old");
  await demo.stop();
});
