import { expect, test } from 'vitest';
import { age, countdown } from './countdown';

const S = 1000;
const M = 60 * S;
const H = 60 * M;
const now = Date.UTC(2014, 7, 13, 6, 0, 0);
const text = (left: number) => countdown(now + left, now).text;

test('above an hour h:mm, below it mm:ss', () => {
  expect(text(H + 43 * M)).toBe('1:43');
  expect(text(43 * M + 10 * S)).toBe('43:10');
  expect(text(H)).toBe('1:00');
  expect(text(H - S)).toBe('59:59');
  expect(text(9 * S)).toBe('0:09');
});

test('the unit tells hours and minutes apart, because the digits do not', () => {
  expect(countdown(now + H + 43 * M, now).unit).toBe('h');
  expect(countdown(now + 43 * M + 10 * S, now).unit).toBe('min');
  expect(countdown(now + 101 * H, now).unit).toBe('d');
});

test('overdue counts up with a plus', () => {
  expect(text(-12 * S)).toBe('+0:12');
  expect(text(-(2 * H + 5 * M))).toBe('+2:05');
  expect(countdown(now - S, now).overdue).toBe(true);
});

test('the deadline itself is not overdue, and a second that has begun still counts as left', () => {
  expect(countdown(now, now)).toMatchObject({ text: '0:00', overdue: false });
  expect(text(500)).toBe('0:01');
  expect(countdown(now - 1, now).overdue).toBe(true);
});

test('never shows sixty minutes or seconds', () => {
  for (let left = -8000; left < 8000; left++) {
    const [, small] = text(left * S).split(':');
    expect(Number(small)).toBeLessThan(60);
  }
});

test('a quarter of an hour and less is soon, overdue is not', () => {
  expect(countdown(now + 15 * M, now).soon).toBe(true);
  expect(countdown(now + 15 * M + S, now).soon).toBe(false);
  expect(countdown(now - S, now).soon).toBe(false);
});

test('from a hundred hours on it counts days', () => {
  expect(text(100 * H)).toBe('4:04');
  expect(text(-100 * H)).toBe('+4:04');
});

test('an age has no sign', () => {
  expect(age(now - 75 * S, now).text).toBe('1:15');
  expect(age(now + 5 * S, now).text).toBe('0:00');
});
