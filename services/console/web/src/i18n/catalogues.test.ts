import { expect, test } from 'vitest';
import { en } from './en';
import { zh } from './zh';

const places = (text: string): string[] => [...text.matchAll(/\{(\w+)\}/g)].map((m) => m[1] ?? '').sort();

test('both catalogues have the same keys', () => {
  expect(Object.keys(en).sort()).toEqual(Object.keys(zh).sort());
});

test('no message is empty, and each fills the same places in both languages', () => {
  for (const key of Object.keys(zh) as (keyof typeof zh)[]) {
    expect(zh[key].trim(), key).not.toBe('');
    expect(en[key].trim(), key).not.toBe('');
    expect(places(en[key]), key).toEqual(places(zh[key]));
  }
});

test('the English catalogue is translated', () => {
  // The name of the other language stands in its own writing.
  const own = new Set(['key.lang']);
  for (const [key, text] of Object.entries(en)) {
    if (!own.has(key)) expect(text, key).not.toMatch(/[\u4e00-\u9fff]/);
  }
});

test('Chinese text has Chinese punctuation', () => {
  for (const [key, text] of Object.entries(zh)) {
    if (/^(unit|time\.placeholder)/.test(key)) continue;
    expect(text, key).not.toMatch(/[\u4e00-\u9fff][,;?!]|[,;][\u4e00-\u9fff]/);
  }
});
