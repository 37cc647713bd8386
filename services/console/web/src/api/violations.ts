import type { MessageKey, Params } from '../i18n';

/** What the servers say of a wrong field, as a message of the catalogue. The servers write English; the officer reads Chinese. */
export interface Said {
  key: MessageKey;
  params: Params;
}

const PATTERNS: readonly [RegExp, MessageKey][] = [
  [/^is required beside a value/, 'wrong.unitNeeded'],
  [/^is required: from when on/, 'wrong.grantStart'],
  [/^is required/, 'wrong.required'],
  [/^must be a single line/, 'wrong.oneLine'],
  [/^must have at most (?<n>\d+) characters/, 'wrong.tooLong'],
  [/^must have at most (?<n>\d+) entries/, 'wrong.tooMany'],
  [/^must not contain the character NUL/, 'wrong.nul'],
  [/^must be a finite number from 0/, 'wrong.number'],
  [/^must be a finite number/, 'wrong.number'],
  [/^must not be negative/, 'wrong.number'],
  [/^must be a whole number/, 'wrong.whole'],
  [/^lies in the future/, 'wrong.future'],
  [/^lies after report\.learn_time: nobody/, 'wrong.occurAfterLearn'],
  [/^lies after report\.learn_time: the department/, 'wrong.bodyAfterDesk'],
  [/^is given without report\.reporting_body_code/, 'wrong.bodyNeeded'],
  [/^"(?<code>[^"]*)" is not a division of (?<province>\d+)/, 'wrong.division'],
  [/^lies (?<km>\d+) km from (?<name>[^;]+)/, 'wrong.far'],
  [/^must be from -180/, 'wrong.coordinates'],
  [/^is missing: give both coordinates/, 'wrong.bothCoordinates'],
  [/^is not an obliged body/, 'wrong.body'],
  [/^states nothing new/, 'wrong.nothingNew'],
  [/^is not a time/, 'wrong.time'],
  [/^is not the present password/, 'wrong.oldPassword'],
  [/^must begin with a letter a to z/, 'wrong.userName'],
  [/^must have at least (?<n>\d+) characters/, 'wrong.passwordShort'],
  [/^must not be the user name/, 'wrong.passwordIsName'],
  [/^must be a six-digit administrative code within (?<province>\d+)/, 'wrong.jurisdiction'],
  [/^must be after start_time/, 'wrong.grantEnd'],
  [/^(is|is that of) this province itself/, 'wrong.ownProvince'],
  [/^the bundle names no endpoint/, 'wrong.noEndpoint'],
  [/^lies before the notification was sent/, 'wrong.beforeSent'],
];

/** The catalogue's message for a server's words; null if there is none, and the words themselves are shown. */
export function saidOf(description: string): Said | null {
  for (const [pattern, key] of PATTERNS) {
    const found = pattern.exec(description);
    if (found) return { key, params: { ...found.groups } };
  }
  return null;
}
