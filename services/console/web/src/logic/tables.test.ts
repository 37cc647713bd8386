import { expect, test } from 'vitest';
import { asCsv, asTabs } from './tables';

test('a file for spreadsheets: quotes where needed, nothing that is calculated', () => {
  const cells = [
    ['a', 'b'],
    ['x,y', 'say "hi"'],
    ['=1+1', '巫山县'],
  ];
  expect(asCsv(cells)).toBe('\ufeffa,b\r\n"x,y","say ""hi"""\r\n\'=1+1,巫山县\r\n');
});

test('a paste keeps its cells apart', () => {
  expect(asTabs([['a\tb', 'c\nd']])).toBe('a b\tc d');
});
