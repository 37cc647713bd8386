import { expect, test } from 'vitest';
import { Seen } from './seen';

test('what is there at the first look is not news; what comes later is, until seen', () => {
  const seen = new Seen();
  seen.start([['a', '1']]);
  expect(seen.mark('a', '1')).toBeNull();
  expect(seen.mark('a', '2')).toBe('changed');
  expect(seen.mark('b', '1')).toBe('new');
  seen.see('b', '1');
  seen.see('a', '2');
  expect(seen.mark('b', '1')).toBeNull();
  expect(seen.mark('a', '2')).toBeNull();
});

test('after a night away, what changed is marked', () => {
  const evening = new Seen();
  evening.start([['a', '1']]);
  const morning = new Seen(evening.entries());
  morning.start([
    ['a', '2'],
    ['b', '1'],
  ]);
  expect(morning.mark('a', '2')).toBe('changed');
  expect(morning.mark('b', '1')).toBe('new');
});
