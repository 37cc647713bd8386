import { expect, test } from 'vitest';
import { attemptFor, uuid } from './request';

test('the same body keeps its id, another body gets another', () => {
  const first = attemptFor(null, { title: 'a', at: { seconds: 7n } });
  expect(attemptFor(first, { title: 'a', at: { seconds: 7n } })).toBe(first);
  expect(attemptFor(first, { title: 'b', at: { seconds: 7n } }).id).not.toBe(first.id);
});

test('an id is a random UUID', () => {
  expect(uuid()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(uuid()).not.toBe(uuid());
});
