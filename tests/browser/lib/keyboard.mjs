// Hands that only have a keyboard.

const MOST_TABS = 150;

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
