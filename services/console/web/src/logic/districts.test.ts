import { expect, test } from 'vitest';
import { fullName, searchDivisions } from './districts';

const first = (query: string, home = '500000') => searchDivisions(query, home)[0]?.code;

test('found by Chinese, by letters, by code', () => {
  expect(first('巫山')).toBe('500237');
  expect(first('wushan')).toBe('500237');
  expect(first('500237')).toBe('500237');
  expect(first('建始', '420000')).toBe('422822');
  expect(first('JIANSHI', '420000')).toBe('422822');
});

test('the home province comes first, an exact name before all', () => {
  expect(first('云阳')).toBe('500235');
  expect(first('yunyang', '420000')).toBe('420304');
  expect(first('建始县')).toBe('422822');
});

test('an abolished unit is found, after those of today', () => {
  const found = searchDivisions('江北', '500000').map((d) => d.code);
  expect(found).toContain('500105');
  expect(searchDivisions('', '500000', 100).findIndex((d) => d.old !== '')).toBeGreaterThan(30);
});

test('provinces are not places of a report', () => {
  expect(searchDivisions('重庆市', '500000').map((d) => d.code)).not.toContain('500000');
});

test('names in both languages', () => {
  expect(fullName('422822', 'zh')).toBe('湖北省建始县');
  expect(fullName('422822', 'en')).toBe('Jianshi, Hubei');
  expect(fullName('500000', 'zh')).toBe('重庆市');
  expect(fullName('999999', 'zh')).toBe('999999');
});
