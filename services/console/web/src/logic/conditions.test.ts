import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { ConditionSchema } from '../gen/proto/fenghuo/operation/v1/operation_pb';
import { databaseGone, heading } from './conditions';

test('the bar has room for what stands before the colon', () => {
  expect(heading('由备份恢复，隔离中：时限到期不提醒')).toBe('由备份恢复，隔离中');
  expect(heading('The database cannot be reached: nothing can be kept')).toBe('The database cannot be reached');
  expect(heading('与重庆市的链路中断')).toBe('与重庆市的链路中断');
});

test('the loss of the database is found among others', () => {
  const down = create(ConditionSchema, { code: 'PARTNER_DOWN' });
  const gone = create(ConditionSchema, { code: 'DATABASE_UNREACHABLE' });
  expect(databaseGone([down, gone])).toBe(gone);
  expect(databaseGone([down])).toBeUndefined();
});
