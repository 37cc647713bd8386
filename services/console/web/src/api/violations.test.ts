import { expect, test } from 'vitest';
import { saidOf } from './violations';

test('what the servers say of a field is found, with its figures', () => {
  expect(saidOf('is required')).toEqual({ key: 'wrong.required', params: {} });
  expect(saidOf('is required beside a value, for example mg/L')?.key).toBe('wrong.unitNeeded');
  expect(saidOf('must have at most 200 characters')).toEqual({ key: 'wrong.tooLong', params: { n: '200' } });
  expect(saidOf('"999999" is not a division of 420000; give six digits, for example 420102 (x)')).toEqual({
    key: 'wrong.division',
    params: { code: '999999', province: '420000' },
  });
  expect(saidOf('lies 812 km from 建始县; check the coordinates, longitude first')).toEqual({
    key: 'wrong.far',
    params: { km: '812', name: '建始县' },
  });
  expect(saidOf('lies after report.learn_time: nobody learns of it before it happens')?.key).toBe('wrong.occurAfterLearn');
});

test('what is not known is left as it was said', () => {
  expect(saidOf('is of a colour that nobody likes')).toBeNull();
});
