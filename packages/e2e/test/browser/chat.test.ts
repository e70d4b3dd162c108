import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { launchChromium, LAUNCH_TIMEOUT_MS } from "../support/chromium.js";
import { startCable, startChat } from "./chat-app.js";

const TIMEOUT_MS = 60_000;
const DESKTOP: BrowserContextOptions = { viewport: { width: 1200, height: 760 } };
const PHONE: BrowserContextOptions = {
  viewport: { width: 390, height: 844 },
  isMobile: true,
  hasTouch: true,
};

let browser: Browser;
// Two browsers for the chat: they share no storage. New ones for each test would cost more than the
// test.
let desktop: Page;
let phone: Page;
const faults: string[] = [];

beforeAll(async () => {
  browser = await launchChromium();
  desktop = await openWindow("desktop", DESKTOP);
  phone = await openWindow("phone", PHONE);
}, LAUNCH_TIMEOUT_MS);

afterAll(async () => {
  await browser.close();
});

async function openWindow(name: string, options: BrowserContextOptions): Promise<Page> {
  const page = await (await browser.newContext(options)).newPage();
  page.setDefaultTimeout(TIMEOUT_MS / 2);
  page.on("pageerror", (error) => faults.push(`${name}: ${error.message}`));
  page.on("console", (line) => {
    if (line.text().includes("Content Security Policy")) faults.push(`${name}: ${line.text()}`);
  });
  return page;
}

/** Opens the chat in a window, which is empty after the test. */
async function visit(url: string, page: Page): Promise<void> {
  onTestFinished(async () => {
    await page.goto("about:blank");
  });
  await page.goto(url);
}

/** Opens the chat in a window and chooses a name. */
async function enter(url: string, name: string, page: Page): Promise<Page> {
  await visit(url, page);
  await page.getByLabel("Your name").fill(name);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Lobby" }).waitFor();
  return page;
}

async function say(page: Page, text: string): Promise<void> {
  await page.getByLabel("Message", { exact: true }).fill(text);
  await page.keyboard.press("Enter");
}

/** Waits until the page shows exactly these messages, all of them acknowledged. */
async function expectMessages(page: Page, texts: readonly string[]): Promise<void> {
  await expect
    .poll(() => page.locator("#log .message:not(.pending) .text").allTextContents(), {
      timeout: TIMEOUT_MS / 2,
    })
    .toEqual(texts);
}

async function expectText(page: Page, selector: string, text: string): Promise<void> {
  await expect
    .poll(() => page.locator(selector).allTextContents(), { timeout: TIMEOUT_MS / 2 })
    .toEqual([text]);
}

test(
  "two people see each other, each other's typing and messages",
  { timeout: TIMEOUT_MS },
  async () => {
    const { url } = await startChat();
    const ada = await enter(url, "Ada", desktop);
    const bob = await enter(url, "Bob", phone);
    await expectText(ada, "#room-count", "2 people");
    await expectText(bob, "#room-count", "2 people");

    await bob.getByLabel("Message", { exact: true }).pressSequentially("Hello");
    await expectText(ada, "#typing", "Bob is typing …");
    await bob.getByRole("button", { name: "Send" }).click();
    await expectMessages(ada, ["Hello"]);
    await expectText(ada, "#typing", "");

    await say(ada, "Good morning");
    await expectMessages(ada, ["Hello", "Good morning"]);
    await expectMessages(bob, ["Hello", "Good morning"]);
    expect(faults).toEqual([]);
  },
);

test("HTML that users type is shown as text", { timeout: TIMEOUT_MS }, async () => {
  const { url } = await startChat();
  const ada = await enter(url, "Ada", desktop);
  const bob = await enter(url, "Bob", phone);
  const hostile = `<img src=x onerror="document.title='taken over'"><b>bold</b><script>1</script>`;

  await say(ada, hostile);
  await expectMessages(ada, [hostile]);
  await expectMessages(bob, [hostile]);
  expect(await bob.locator("#log :is(img, b, script)").count()).toBe(0);
  expect(await bob.title()).toBe("Lobby · Jackfield chat");
  expect(faults).toEqual([]);
});

test("a name that is taken is refused with an explanation", { timeout: TIMEOUT_MS }, async () => {
  const { url } = await startChat();
  await enter(url, "Ada", desktop);
  await visit(url, phone);
  await phone.getByLabel("Your name").fill("ada");
  await phone.keyboard.press("Enter");
  await expectText(phone, "#welcome-error", "“ada” is taken. Please choose another name.");

  await phone.getByLabel("Your name").fill("Grace");
  await phone.keyboard.press("Enter");
  await expect.poll(() => phone.title()).toBe("Lobby · Jackfield chat");
});

test(
  "a room of one's own shows elsewhere as unread and keeps its history",
  { timeout: TIMEOUT_MS },
  async () => {
    const { url } = await startChat();
    const ada = await enter(url, "Ada", desktop);
    const bob = await enter(url, "Bob", phone);
    await say(ada, "in the lobby");
    await expectMessages(bob, ["in the lobby"]);

    await bob.getByRole("button", { name: "Rooms and people" }).click();
    await bob.getByLabel("New room").fill("Cables");
    await bob.keyboard.press("Enter");
    await bob.getByRole("heading", { name: "Cables" }).waitFor();
    await expectText(ada, "#room-count", "only you");
    await say(bob, "in here");
    await expectText(ada, "#rooms .badge:not([hidden])", "1 unread");
    await expectMessages(ada, ["in the lobby"]);

    await ada.getByRole("button", { name: "Cables" }).click();
    await expectMessages(ada, ["in here"]);
    expect(await ada.locator("#rooms .badge:not([hidden])").count()).toBe(0);
    expect(faults).toEqual([]);
  },
);

test(
  "after a restart of the server the talk goes on and nothing is doubled",
  { timeout: TIMEOUT_MS },
  async () => {
    const chat = await startChat();
    const ada = await enter(chat.url, "Ada", desktop);
    const bob = await enter(chat.url, "Bob", phone);
    await say(ada, "before");
    await expectMessages(bob, ["before"]);

    await chat.close();
    await expectText(ada, "#banner", "Connection lost. Trying again …");
    await expectText(bob, "#banner", "Connection lost. Trying again …");
    await say(ada, "meanwhile 1");
    await say(ada, "meanwhile 2");
    await expectMessages(ada, ["before"]);
    expect(await ada.locator("#log .pending .text").allTextContents()).toEqual([
      "meanwhile 1",
      "meanwhile 2",
    ]);

    await startChat(chat.port);
    await expectText(ada, "#banner", "");
    await expectText(bob, "#banner", "");
    // Whoever comes back first may speak before the other is there, who then gets the history.
    await expectMessages(ada, ["before", "meanwhile 1", "meanwhile 2"]);
    await expectMessages(bob, ["before", "meanwhile 1", "meanwhile 2"]);
    await say(bob, "after");
    await expectMessages(ada, ["before", "meanwhile 1", "meanwhile 2", "after"]);
    await say(ada, "the end");
    await expectMessages(ada, ["before", "meanwhile 1", "meanwhile 2", "after", "the end"]);
    await expectMessages(bob, ["before", "meanwhile 1", "meanwhile 2", "after", "the end"]);
    await expectText(ada, "#room-count", "2 people");
    expect(faults).toEqual([]);
  },
);

test(
  "after a broken connection the missed messages come and nothing is doubled",
  { timeout: TIMEOUT_MS },
  async () => {
    const chat = await startChat();
    const cable = await startCable(chat);
    const ada = await enter(cable.url, "Ada", desktop);
    const bob = await enter(chat.url, "Bob", phone);
    await say(ada, "one");
    await expectMessages(ada, ["one"]);

    cable.pull();
    await expectText(ada, "#banner", "Connection lost. Trying again …");
    await expectText(bob, "#room-count", "only you");
    await say(bob, "two");
    await expectMessages(bob, ["one", "two"]);
    await say(ada, "three");

    cable.plug();
    await expectText(ada, "#banner", "");
    await expectMessages(ada, ["one", "two", "three"]);
    await say(bob, "four");
    await expectMessages(ada, ["one", "two", "three", "four"]);
    await expectMessages(bob, ["one", "two", "three", "four"]);
    expect(faults).toEqual([]);
  },
);

test("a copy of the tab takes the name over", { timeout: TIMEOUT_MS }, async () => {
  const { url } = await startChat();
  const first = await enter(url, "Ada", desktop);
  // A duplicated tab starts with a copy of the session storage, as does one opened by the page.
  const [second] = await Promise.all([
    first.waitForEvent("popup"),
    first.evaluate("void open(location.href)"),
  ]);
  onTestFinished(() => second.close());
  await second.getByRole("heading", { name: "Lobby" }).waitFor();
  const again = first.getByRole("button", { name: "Continue here" });
  await again.waitFor();
  await again.click();
  await second.getByRole("button", { name: "Continue here" }).waitFor();
  await expectText(first, "#banner", "");
  expect(faults).toEqual([]);
});

test("a phone shows no more than its width", { timeout: TIMEOUT_MS }, async () => {
  const { url } = await startChat();
  const bob = await enter(url, "Bob", phone);
  await say(bob, "W".repeat(300));
  await expectMessages(bob, ["W".repeat(300)]);
  expect(await bob.evaluate("document.documentElement.scrollWidth === innerWidth")).toBe(true);
  expect(await bob.evaluate("scroller.scrollWidth === scroller.clientWidth")).toBe(true);
});
