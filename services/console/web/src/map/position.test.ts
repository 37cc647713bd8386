import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { IncidentSchema } from '../gen/proto/fenghuo/incident/v1/incident_pb';
import { NotificationRecordSchema } from '../gen/proto/fenghuo/notification/v1/notification_pb';
import { place } from './position';

const none = new Map();
const at = (place_: object, notifications = none) => place([create(IncidentSchema, { name: 'i', place: place_ })], notifications)[0]?.at;

test('an own position comes before the seat of the unit', () => {
  expect(at({ adminCode: '500237', longitudeDeg: 109.5, latitudeDeg: 31 })).toEqual([109.5, 31]);
  expect(at({ adminCode: '500237' })).toEqual([109.878928, 31.074843]);
});

test('a province is no place; the notification that told of it may know one', () => {
  expect(at({ adminCode: '500000' })).toBeNull();
  const told = create(NotificationRecordSchema, { name: 'n', incident: 'i', content: { place: { adminCode: '422822' } } });
  expect(at({ adminCode: '500000' }, new Map([['n', told]]))).toEqual([109.722, 30.602]);
});

test('half a position is none', () => {
  expect(at({ adminCode: '999999', longitudeDeg: 109 })).toBeNull();
});
