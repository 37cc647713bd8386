// The main job at two desks: a report is taken by keyboard in Hubei, graded and clocked; Chongqing is told, its officer
// acknowledges, and Hubei's page shows it live. Real Chromium, two real nodes, mutual TLS between them.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, openPage, seriousFindings, takeScreenshots } from './lib/browser.mjs';
import { byId, chooseIn, chooseRadio, pressOn, tabTo, typeInto } from './lib/keyboard.mjs';
import { startNode } from './lib/node.mjs';
import { PEOPLE, setUp } from './lib/people.mjs';

// Values of the enumerations in proto/fenghuo.
const YES = 1;
const TOWNSHIP = 2;
const PROVINCE = 4;

// What must show within a second of the change shows on a busy machine as well.
const LIVE_MS = 1000;
// Two provinces: a signed envelope there, an acknowledgement back.
const ACROSS_MS = 5000;

let hubei;
let chongqing;
let browser;
const desks = [];

before(async () => {
  [hubei, chongqing] = await Promise.all([startNode('420000'), startNode('500000')]);
  await setUp(hubei, chongqing);
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await Promise.all([hubei?.stop(), chongqing?.stop()]);
});

async function signIn(node, user) {
  const person = PEOPLE[node.province].find((one) => one.user === user);
  const desk = await openPage(browser, node, { mouse: false });
  const { page } = desk;
  await page.goto(node.url);
  await typeInto(page, byId('input-user-name'), person.user);
  await typeInto(page, byId('input-password'), person.password);
  await page.keyboard.press('Enter');
  await page.waitForSelector(byId('desk'));
  await page.waitForSelector(`${byId('server-link')}[data-state="up"]`);
  desks.push(desk);
  return page;
}

/** Milliseconds until the page shows it. */
async function shownAfter(page, selector, since) {
  await page.waitForSelector(selector);
  return performance.now() - since;
}

async function fillReport(page) {
  await typeInto(page, byId('input-reporter-name'), '张某');
  await typeInto(page, byId('input-reporter-telephone'), '0718-0000000');
  await typeInto(page, byId('input-district'), '建始');
  await page.keyboard.press('Enter');
  await typeInto(page, byId('input-place-text'), '业州镇 黄厂坪硫铁矿');
  await typeInto(page, byId('input-title'), '选矿废水流入溶洞，下游水库异味');
  await typeInto(page, byId('input-withoutWater'), '50000');
  await chooseRadio(page, 'withoutWater-cause', YES);
  await chooseIn(page, byId('input-waterIntakeInterruption'), TOWNSHIP);
  await chooseIn(page, byId('input-boundaryEffect'), PROVINCE);
  await chooseRadio(page, 'confirmedEnvironmental', YES);
  await chooseRadio(page, 'drinkingWaterProtectionArea', YES);
  await chooseRadio(page, 'mayCrossProvince', YES);
}

test('a report by keyboard in one province is acknowledged in the other, and both desks see it live', async (t) => {
  // What follows stands on what went before: the first step that fails ends the test.
  const step = async (name, run) => {
    let failure;
    await t.test(name, () => run().catch((error) => Promise.reject((failure = error))));
    if (failure) throw failure;
  };
  const findings = [];
  const look = async (page, where) => findings.push(...(await seriousFindings(page)).map((finding) => `${where}: ${finding}`));

  const officer = await signIn(hubei, 'lijing');
  const commander = await signIn(hubei, 'zhoumin');
  const neighbour = await signIn(chongqing, 'chentao');
  let incident;

  await step('the links between the two provinces are up on both desks', async () => {
    await officer.waitForSelector(`${byId('partner-link-500000')}[data-state="UP"]`);
    await neighbour.waitForSelector(`${byId('partner-link-420000')}[data-state="UP"]`);
    await look(officer, 'empty desk');
  });

  await step('the duty officer takes the report', async () => {
    await officer.keyboard.press('n');
    await officer.waitForSelector(byId('report-form'));
    await look(officer, 'report form');
    await fillReport(officer);
    await officer.keyboard.press('Control+Enter');
    await officer.waitForSelector(byId('incident'));
    const taken = performance.now();
    incident = await officer.getAttribute(byId('incident'), 'data-name');
    assert.match(incident, /^provinces\/420000\/incidents\//);
    const elsewhere = await shownAfter(commander, `${byId('queue-item')}[data-name="${incident}"]`, taken);
    t.diagnostic(`the report showed on the commander's desk ${elsewhere.toFixed(0)} ms after the officer's page had it`);
    assert.ok(elsewhere < LIVE_MS, `${elsewhere} ms`);
  });

  await step('the incident has a grade by the boundary, with its clauses and running clocks', async () => {
    await officer.waitForSelector(byId('fired-clause'));
    assert.equal(await officer.getAttribute(`.incident-head ${byId('grade-badge')}`, 'data-grade'), '2');
    const clauses = await officer.locator(byId('fired-clause')).count();
    const clocks = await officer.locator(`${byId('clock')}[data-state="RUNNING"]`).count();
    assert.ok(clauses >= 1 && clocks >= 1, `${clauses} clauses, ${clocks} running clocks`);
    await look(officer, 'incident');
  });

  await step('the duty officer drafts the notification to Chongqing', async () => {
    await officer.keyboard.press('d');
    await chooseIn(officer, byId('input-draft-partner'), '500000');
    await officer.keyboard.press('Control+Enter');
    await officer.waitForSelector(`${byId('notification-view')}[data-direction="outgoing"]`);
    await look(officer, 'draft');
  });

  await step('the commander approves it, and the receipt of the other province comes back', async () => {
    await pressOn(commander, `${byId('queue-item')}[data-name="${incident}"]`);
    await pressOn(commander, `${byId('right')} ${byId('notification-open')}`);
    await commander.waitForSelector(byId('approve'));
    await commander.keyboard.press('Control+Enter');
    await commander.waitForSelector(byId('confirm-approve'));
    await commander.keyboard.press('Control+Enter');
    const approved = performance.now();
    const receipt = await shownAfter(commander, `${byId('notification-view')} ${byId('receipt')}[data-outcome="1"]`, approved);
    t.diagnostic(`the receipt was there ${receipt.toFixed(0)} ms after the approval`);
    assert.ok(receipt < ACROSS_MS, `${receipt} ms`);
  });

  await step('the officer in Chongqing sees it and acknowledges, and it shows live in Hubei', async () => {
    await tabTo(neighbour, `${byId('unanswered-item')}[data-direction="incoming"]`);
    await neighbour.keyboard.press('Enter');
    await neighbour.waitForSelector(byId('form-acknowledge'));
    await look(neighbour, 'received');
    await typeInto(neighbour, byId('input-ack-remark'), '收到，已通知巫山县停止取水并开展核查');
    await pressOn(neighbour, byId('acknowledge'));
    await neighbour.waitForSelector(byId('confirm-acknowledge'));
    await neighbour.keyboard.press('Control+Enter');
    await neighbour.waitForSelector(byId('acknowledgement'));
    const acknowledged = performance.now();
    const there = await shownAfter(officer, `${byId('right')} ${byId('acknowledgement')}`, acknowledged);
    t.diagnostic(`the acknowledgement showed in Hubei ${there.toFixed(0)} ms after Chongqing's page had it`);
    assert.ok(there < ACROSS_MS, `${there} ms`);
    const text = await officer.textContent(`${byId('right')} ${byId('acknowledgement')}`);
    assert.match(text, /陈涛/);
    assert.match(text, /停止取水/);
  });

  await step('screenshots at both screen sizes', async () => {
    await officer.keyboard.press('Escape');
    await officer.waitForSelector(`${byId('map')}[data-ready="true"]`);
    await takeScreenshots(officer, 'incident');
    await neighbour.keyboard.press('Escape');
    await neighbour.waitForSelector(`${byId('map')}[data-ready="true"]`);
    await takeScreenshots(neighbour, 'desk');
    await officer.keyboard.press('m');
    await takeScreenshots(officer, 'map');
  });

  await step('no page had a serious accessibility finding', async () => assert.deepEqual(findings, []));

  await step('nothing went wrong in any page, nothing was fetched from elsewhere, and no mouse was used', async () => {
    assert.deepEqual(desks.flatMap((desk) => desk.errors), []);
  });
});
