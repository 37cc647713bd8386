import { expect, test } from 'vitest';
import { formatNumber } from './numbers';

test('groups thousands, and neither loses nor invents digits', () => {
  expect(formatNumber(50000)).toBe('50\u2009000');
  expect(formatNumber(1234567.25)).toBe('1\u2009234\u2009567.25');
  expect(formatNumber(0)).toBe('0');
  expect(formatNumber(0.000005)).toBe('0.000005');
  expect(formatNumber(1.5e-7)).toBe('0.00000015');
  expect(formatNumber(-1234)).toBe('-1\u2009234');
});
