// What is down is shown while it is down: a partner killed, a database stopped, a node restored from a backup. Each is real, and each shows
// in the bar, by the same words for everybody, and goes by itself.

import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { launch, openPage, seriousFindings, takeScreenshots } from './lib/browser.mjs';
import { byId, pressOn, typeInto } from './lib/keyboard.mjs';
import { fenghuo, startNode } from './lib/node.mjs';
import { PEOPLE, setUp, setUpAlone } from './lib/people.mjs';
import { startPostgres } from './lib/postgres.mjs';

// The worker's second try decides that a partner is gone, and a machine that tests is busy: so long it may take.
const TOLD_MS = 15_000;
const bar = (code) => `${byId('down')}[data-code="${code}"]`;

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

async function signIn(node, user) {
  const person = PEOPLE[node.province].find((one) => one.user === user);
  const desk = await openPage(browser, node, { mouse: false });
  const { page } = desk;
  await page.goto(node.url);
  await typeInto(page, byId('input-user-name'), person.user);
  await typeInto(page, byId('input-password'), person.password);
  await page.keyboard.press('Enter');
  await page.waitForSelector(`${byId('server-link')}[data-state="up"]`);
  return desk;
}

/** Milliseconds until the page shows it. */
async function shown(page, selector) {
  const began = performance.now();
  await page.waitForSelector(selector, { timeout: TOLD_MS });
  return Math.round(performance.now() - began);
}

/** Refused calls are errors to the browser's console; nothing else may be. */
const strange = (errors) => errors.filter((error) => !/Failed to load resource|ERR_|net::/.test(error));

test('a partner that is killed is told and untold, and a restored node is released at the desk', async (t) => {
  const [hubei, chongqing] = await Promise.all([startNode('420000'), startNode('500000')]);
  const backup = `${hubei.data}.tar`;
  try {
    await setUp(hubei, chongqing);
    const { page, errors } = await signIn(hubei, 'zhoumin');
    await shown(page, bar(''));
    assert.match(await page.textContent(byId('down')), /运行正常/);

    await chongqing.kill();
    t.diagnostic(`the bar told the partner's loss ${await shown(page, bar('PARTNER_DOWN'))} ms after its end`);
    assert.match(await page.textContent(byId('down')), /与重庆市的链路中断/);
    assert.match(await page.textContent(byId('down-said')), /部分中断.*与重庆市的链路中断/);
    await shown(page, `${byId('partner-link-500000')}[data-state="DOWN"]`);
    assert.deepEqual(await seriousFindings(page), []);
    await takeScreenshots(page, 'down-partner');
    await page.keyboard.press('x');
    await page.waitForSelector(`${byId('condition')}[data-code="PARTNER_DOWN"][data-subject="500000"]`);
    assert.match(await page.textContent(byId('condition-next')), /电话/);
    assert.deepEqual(await seriousFindings(page), []);
    await page.keyboard.press('Escape');
    await page.keyboard.press('y');
    assert.match(await page.textContent(byId('down')), /The link to Chongqing is down/);
    await page.keyboard.press('y');

    await chongqing.startAgain();
    t.diagnostic(`and its return ${await shown(page, bar(''))} ms after it was ready`);
    assert.deepEqual(strange(errors), []);

    // A node restored from a backup while the partner is away.
    await fenghuo({}, 'backup', '--province', '420000', '--data', hubei.data, '--out', backup);
    await chongqing.kill();
    await hubei.kill();
    t.diagnostic(`the server's own loss shows after ${await shown(page, byId('stale-banner'))} ms`);
    await rm(hubei.data, { recursive: true });
    await fenghuo({}, 'restore', backup, '--province', '420000', '--data', hubei.data);
    await hubei.startAgain();
    await shown(page, bar('QUARANTINE'));
    await page.keyboard.press('x');
    await page.waitForSelector(`${byId('condition')}[data-code="QUARANTINE"]`);
    await takeScreenshots(page, 'down-quarantine');
    await pressOn(page, byId('release-open'));
    await typeInto(page, byId('input-release-reason'), '已与重庆值班室电话核对，对方停机检修');
    await page.keyboard.press('Control+Enter');
    await page.waitForSelector(byId('confirm-release'));
    assert.match(await page.textContent(byId('confirm-sentence-release')), /将解除隔离.*重庆/);
    assert.deepEqual(await seriousFindings(page), []);
    await takeScreenshots(page, 'down-release');
    await page.keyboard.press('Control+Enter');
    await page.keyboard.press('Escape');
    await shown(page, `${byId('down')}:not([data-code="QUARANTINE"])`);
    await page.keyboard.press('x');
    await page.waitForSelector(`${byId('condition')}[data-code="PARTNER_CLOSED"]`);
    assert.equal(await page.locator(byId('release-open')).count(), 0, 'released is released');
    await page.keyboard.press('Escape');

    await chongqing.startAgain();
    t.diagnostic(`all is well again ${await shown(page, bar(''))} ms after the partner was ready`);
    assert.deepEqual(strange(errors), []);
  } finally {
    await rm(backup, { force: true });
    await Promise.allSettled([hubei.stop(), chongqing.stop()]);
  }
});

test('a database that is stopped is told on an open desk and at the door, and untold when it is back', async (t) => {
  const postgres = await startPostgres();
  let hubei;
  try {
    hubei = await startNode('420000', { databaseUrl: postgres.url });
    await setUpAlone(hubei);
    const { page, errors } = await signIn(hubei, 'lijing');
    await shown(page, bar(''));
    await postgres.stop();
    t.diagnostic(`the bar told the database's loss ${await shown(page, bar('DATABASE_UNREACHABLE'))} ms after its end`);
    assert.match(await page.textContent(byId('down')), /数据库不可达/);
    await shown(page, `${byId('stale-banner')}[data-cause="database"]`);
    assert.deepEqual(await seriousFindings(page), []);
    await takeScreenshots(page, 'down-database');
    await page.keyboard.press('t');
    await takeScreenshots(page, 'down-database-night');

    const door = await openPage(browser, hubei);
    await door.page.goto(hubei.url);
    await shown(door.page, byId('sign-in-database'));
    assert.match(await door.page.textContent(byId('sign-in-database')), /数据库不可达/);

    await page.reload();
    t.diagnostic(`after a reload the bar told it in ${await shown(page, bar('DATABASE_UNREACHABLE'))} ms`);

    await postgres.start();
    t.diagnostic(`the bar told its return ${await shown(page, bar(''))} ms after it was ready`);
    await shown(page, `${byId('server-link')}[data-state="up"]`);
    await door.page.waitForSelector(byId('sign-in-database'), { state: 'detached' });
    assert.deepEqual(strange([...errors, ...door.errors]), []);
  } finally {
    await hubei?.stop().catch(() => undefined);
    await postgres.stop().catch(() => undefined);
    await postgres.remove();
  }
});
