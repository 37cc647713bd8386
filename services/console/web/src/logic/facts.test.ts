import { expect, test } from 'vitest';
import { Tristate } from '../gen/proto/fenghuo/common/v1/common_pb';
import { BoundaryLevel } from '../gen/proto/fenghuo/incident/v1/incident_pb';
import { draftOfFacts, factsOf, numberIn } from './facts';

test('an empty text is unknown, never zero', () => {
  expect(numberIn('')).toBeUndefined();
  expect(numberIn('  ')).toBeUndefined();
  expect(numberIn('0')).toBe(0);
});

test('reads numbers as they are typed, and nothing else', () => {
  expect(numberIn('50,000')).toBe(50000);
  expect(numberIn('\uff15\uff10\uff10')).toBe(500);
  expect(numberIn('.52')).toBe(0.52);
  for (const text of ['abc', '1e5', '5万', '1,00', '--1', 'Infinity', 'NaN', '0x10']) expect(numberIn(text), text).toBeNaN();
});

test('an untouched form states nothing', () => {
  const empty = draftOfFacts();
  const facts = factsOf(empty, empty, 'x', undefined);
  expect(facts.deaths).toBeUndefined();
  expect(facts.boundaryEffect).toBe(BoundaryLevel.UNSPECIFIED);
  expect(facts.heavyMetal).toBe(Tristate.UNSPECIFIED);
});

test('only what was changed is sent, with its source', () => {
  const before = draftOfFacts();
  const after = { ...before, figures: { ...before.figures, deaths: { text: '0', cause: Tristate.NO, status: 1 } } };
  const facts = factsOf(after, before, '建始县局', undefined);
  expect(facts.deaths).toMatchObject({ value: 0, causedByPollution: Tristate.NO, source: '建始县局' });
  expect(facts.evacuated).toBeUndefined();
});

test('a figure that was known can be made unknown again', () => {
  const before = draftOfFacts();
  before.figures.deaths = { text: '3', cause: Tristate.YES, status: 1 };
  const after = { ...before, figures: { ...before.figures, deaths: { text: '', cause: Tristate.UNKNOWN, status: 1 } } };
  const facts = factsOf(after, before, 'x', undefined);
  expect(facts.deaths).toBeDefined();
  expect(facts.deaths?.value).toBeUndefined();
});
