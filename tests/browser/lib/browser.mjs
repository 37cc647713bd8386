// Chromium as the officer's browser: pages that may reach nothing but their own node.

import { mkdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const root = new URL('../../..', import.meta.url).pathname;
const axeSource = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
export const screenshotFolder = process.env.FENGHUO_SCREENSHOTS ?? join(root, 'target/screenshots');

/** The two screens that the desk is made for. */
export const SCREENS = [
  { width: 1366, height: 768 },
  { width: 1920, height: 1080 },
];

/** Starts Chromium. It serves tests of our own pages only, so it runs without its sandbox, which root could not have. */
export function launch() {
  return chromium.launch({
    executablePath: process.env.FENGHUO_CHROMIUM || '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
}

/** A page of one person at one node's desk, with all that went wrong in it. */
export async function openPage(browser, node, { screen = SCREENS[1], mouse = true } = {}) {
  const context = await browser.newContext({ viewport: screen, locale: 'zh-CN', timezoneId: 'Asia/Shanghai', colorScheme: 'light', acceptDownloads: true });
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  const errors = [];
  page.on('pageerror', (error) => errors.push(`exception: ${error}`));
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(`console: ${message.text()}`);
  });
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (['http:', 'https:', 'ws:', 'wss:'].includes(url.protocol) && url.origin !== node.url) errors.push(`fetched from elsewhere: ${request.url()}`);
  });
  if (!mouse) {
    await page.addInitScript(() => {
      for (const kind of ['pointerdown', 'mousedown', 'touchstart']) {
        addEventListener(kind, (event) => event.isTrusted && console.error(`a ${kind} in a test that is by keyboard only`), true);
      }
    });
  }
  return { page, context, errors };
}

/** Serious and critical findings of axe-core on the page as it is now, one line each. */
export async function seriousFindings(page) {
  await page.evaluate(axeSource);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
  return violations
    .filter((violation) => ['serious', 'critical'].includes(violation.impact))
    .flatMap((violation) => violation.nodes.map((found) => `${violation.id} (${violation.impact}): ${found.target.join(' ')}: ${found.failureSummary}`));
}

/** Writes the page as it is now at both screen sizes to target/screenshots/NAME-WIDTHxHEIGHT.png. */
export async function takeScreenshots(page, name) {
  await mkdir(screenshotFolder, { recursive: true });
  const before = page.viewportSize();
  for (const screen of SCREENS) {
    await page.setViewportSize(screen);
    // Two frames: one to lay out, one to draw.
    await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
    await page.waitForTimeout(800);
    await page.screenshot({ path: join(screenshotFolder, `${name}-${screen.width}x${screen.height}.png`) });
  }
  await page.setViewportSize(before);
}
