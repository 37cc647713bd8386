// Hands that only have a keyboard.

const MOST_TABS = 250;

/** Selector of an element by its data-testid. */
export const byId = (testId) => `[data-testid="${testId}"]`;

function focused(page, selector) {
  return page.evaluate((wanted) => !!document.activeElement?.matches(wanted), selector);
}

/** Presses Tab until the focus is on the element, as a person would; fails if it cannot be reached. */
export async function tabTo(page, selector) {
  await page.waitForSelector(selector, { state: 'visible' });
  for (let pressed = 0; pressed <= MOST_TABS; pressed += 1) {
    if (await focused(page, selector)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`${selector} could not be reached with ${MOST_TABS} presses of Tab`);
}

/** Goes to a field and types; what stood there is replaced. */
export async function typeInto(page, selector, text) {
  await tabTo(page, selector);
  await page.keyboard.press('ControlOrMeta+a');
  await page.keyboard.type(text);
}

/** Goes to a control and presses a key on it. */
export async function pressOn(page, selector, key = 'Enter') {
  await tabTo(page, selector);
  await page.keyboard.press(key);
}

/** Goes to a list and presses the arrow keys until it stands at the value. */
export async function chooseIn(page, selector, value) {
  await tabTo(page, selector);
  const at = () => page.evaluate(() => document.activeElement.selectedIndex);
  const wanted = await page.evaluate((v) => [...document.activeElement.options].findIndex((option) => option.value === v), String(value));
  if (wanted < 0) throw new Error(`${selector} has no option ${value}`);
  for (let from = await at(); from !== wanted; from = await at()) {
    await page.keyboard.press(from < wanted ? 'ArrowDown' : 'ArrowUp');
    if ((await at()) === from) throw new Error(`${selector}: the arrow keys do not move the choice`);
  }
}

/** Goes to a row of radio buttons and presses the arrow key until the value is chosen. */
export async function chooseRadio(page, testId, value) {
  await tabTo(page, `[data-testid^="choice-${testId}-"]`);
  const wanted = byId(`choice-${testId}-${value}`);
  for (let pressed = 0; pressed < 12; pressed += 1) {
    if (await focused(page, `${wanted}:checked`)) return;
    await page.keyboard.press('ArrowRight');
  }
  throw new Error(`${wanted} could not be chosen with the arrow key`);
}
