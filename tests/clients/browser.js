// A real browser, for one visit after the other: a line of JSON in, a line of JSON out.
"use strict";

const { readFile } = require("node:fs/promises");
const { createInterface } = require("node:readline");
const { chromium } = require("playwright-core");

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

async function main(executablePath) {
  const browser = await chromium.launch({ executablePath, args: FLAGS, headless: true });
  for await (const line of createInterface({ input: process.stdin })) {
    const context = await browser.newContext();
    try {
      console.log(JSON.stringify(await visit(await context.newPage(), JSON.parse(line))));
    } catch (error) {
      console.log(JSON.stringify({ error: error.stack }));
    }
    await context.close();
  }
  await browser.close();
}

// Goes to `url`; finds out what `evaluate` is there, or clicks on each of `clicks`: the last one leads away.
async function visit(page, told) {
  await page.goto(told.url);
  if (told.evaluate) {
    return { value: await page.evaluate(told.evaluate) };
  }
  if (told.bytesPerSecond) {
    await slow(page, told.bytesPerSecond);
  }
  for (const selector of told.clicks.slice(0, -1)) {
    await page.click(selector);
  }
  const downloaded = page.waitForEvent("download").then((download) => saved(download, told.kill));
  const opened = page.waitForEvent("framenavigated").then(async () => ({ text: await page.innerText("body") }));
  await page.click(told.clicks.at(-1), { noWaitAfter: true });
  return Promise.any([downloaded, opened]);
}

// `kill`: processes that end now that the download has begun.
async function saved(download, kill) {
  for (const pid of kill || []) {
    process.kill(pid, "SIGKILL");
  }
  const failure = await download.failure();
  const text = failure ? null : await readFile(await download.path(), "utf8");
  return { failure, name: download.suggestedFilename(), text };
}

async function slow(page, bytesPerSecond) {
  const session = await page.context().newCDPSession(page);
  const conditions = { offline: false, latency: 0, uploadThroughput: -1, downloadThroughput: bytesPerSecond };
  await session.send("Network.enable");
  await session.send("Network.emulateNetworkConditions", conditions);
}

main(process.argv[2]).catch((error) => {
  console.error(error);
  process.exit(1);
});
