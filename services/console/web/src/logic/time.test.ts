import { expect, test } from 'vitest';
import { clockTimeSeconds, dateTime, parseTime, shortTime } from './time';

// 2014-08-13 16:00 in Beijing.
const now = Date.UTC(2014, 7, 13, 8, 0, 0);
const read = (text: string) => {
  const ms = parseTime(text, now);
  return ms === null ? null : dateTime(ms);
};

test('Beijing time is eight hours ahead, whatever this machine thinks', () => {
  expect(dateTime(Date.UTC(2014, 7, 13, 16, 30))).toBe('2014-08-14 00:30');
  expect(clockTimeSeconds(Date.UTC(2014, 0, 1, 0, 0, 7))).toBe('08:00:07');
});

test('reads what an officer types', () => {
  expect(read('1435')).toBe('2014-08-13 14:35');
  expect(read('14:35')).toBe('2014-08-13 14:35');
  expect(read('8-12 09:05')).toBe('2014-08-12 09:05');
  expect(read('8月12日 9:05')).toBe('2014-08-12 09:05');
  expect(read('2013-12-31 23:59')).toBe('2013-12-31 23:59');
});

test('what an input method types in full width counts as typed', () => {
  expect(read('\uff11\uff14\uff1a\uff13\uff15')).toBe('2014-08-13 14:35');
});

test('a full stop is now, to the minute', () => {
  for (const text of ['.', 'now', '现在']) expect(read(text)).toBe('2014-08-13 16:00');
});

test('a time later than now was yesterday; a few minutes ahead are a watch that is fast', () => {
  expect(read('17:00')).toBe('2014-08-12 17:00');
  expect(read('16:05')).toBe('2014-08-13 16:05');
});

test('a day later in the year was last year', () => {
  expect(read('12-24 10:00')).toBe('2013-12-24 10:00');
});

test('does not make a time of what is none', () => {
  for (const text of ['', 'abc', '25:00', '12:60', '2-30 10:00', '2014-13-01 10:00', '14', '14:3']) expect(read(text)).toBeNull();
});

test('what was read, written out, is read as the same', () => {
  for (const text of ['1435', '8-12 09:05', '2013-12-31 23:59']) {
    const ms = parseTime(text, now);
    expect(parseTime(dateTime(ms ?? 0), now)).toBe(ms);
  }
});

test('short within the day, longer within the year, whole otherwise', () => {
  expect(shortTime(now, now)).toBe('16:00');
  expect(shortTime(now - 86_400_000, now)).toBe('08-12 16:00');
  expect(shortTime(now - 400 * 86_400_000, now)).toBe('2013-07-09 16:00');
});
