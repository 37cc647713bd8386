import { Code, ConnectError } from '@connectrpc/connect';
import { expect, test } from 'vitest';
import { BadRequestSchema, ErrorInfoSchema } from '../gen/proto/google/rpc/error_details_pb';
import { problemOf, violationAt } from './errors';

const refused = new ConnectError('the report is not complete', Code.InvalidArgument, undefined, [
  { desc: ErrorInfoSchema, value: { reason: 'INVALID_REPORT', domain: 'fenghuo', metadata: { table: 'order17-2011' } } },
  {
    desc: BadRequestSchema,
    value: {
      fieldViolations: [
        { field: 'report.place.admin_code', description: 'no such division' },
        { field: 'report.learn_time', description: 'lies ahead' },
      ],
    },
  },
]);

test('a refusal keeps its code, reason, words and fields', () => {
  const p = problemOf(refused);
  expect(p).toMatchObject({
    code: 'INVALID_ARGUMENT',
    reason: 'INVALID_REPORT',
    message: 'the report is not complete',
    unreachable: false,
  });
  expect(p.metadata).toEqual({ table: 'order17-2011' });
  expect(p.violations).toHaveLength(2);
});

test('a violation is found at its field, by the end of its path and nowhere else', () => {
  const p = problemOf(refused);
  expect(violationAt(p, 'report.place.admin_code')).toBe('no such division');
  expect(violationAt(p, 'place.admin_code')).toBe('no such division');
  expect(violationAt(p, 'code')).toBeUndefined();
  expect(violationAt(p, 'report.place')).toBeUndefined();
  expect(violationAt(null, 'report')).toBeUndefined();
});

test('a server that does not answer is told apart from one that refuses', () => {
  expect(problemOf(new ConnectError('down', Code.Unavailable)).unreachable).toBe(true);
  expect(problemOf(new TypeError('Failed to fetch')).unreachable).toBe(true);
  expect(problemOf(ConnectError.from(new TypeError('Failed to fetch'), Code.Internal)).unreachable).toBe(true);
  expect(problemOf(new ConnectError('no', Code.PermissionDenied)).unreachable).toBe(false);
});

test('codes are written as the servers write them', () => {
  expect(problemOf(new ConnectError('', Code.FailedPrecondition)).code).toBe('FAILED_PRECONDITION');
  expect(problemOf(new ConnectError('', Code.NotFound)).code).toBe('NOT_FOUND');
});
