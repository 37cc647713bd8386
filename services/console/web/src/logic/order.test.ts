import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { ClockState, DutyKind, IncidentSchema, IncidentState, type Clock } from '../gen/proto/fenghuo/incident/v1/incident_pb';
import { Direction, NotificationRecordSchema, NotificationState } from '../gen/proto/fenghuo/notification/v1/notification_pb';
import { clocksInOrder, nextClock, queueOf, unanswered, unansweredOf } from './order';
import { stamp } from './time';

const now = Date.UTC(2014, 7, 13, 6);
const clock = (state: ClockState, due?: number, kept?: number) => {
  const dueTime = stamp(due);
  const keepTime = stamp(kept);
  return { state, ...(dueTime ? { dueTime } : {}), ...(keepTime ? { keepTime } : {}) };
};
const incident = (name: string, clocks: Partial<Clock>[], state = IncidentState.OPEN, learned = now) => {
  const learnTime = stamp(learned);
  return create(IncidentSchema, { name, clocks: clocks as never, state, ...(learnTime ? { learnTime } : {}) });
};
const names = (all: readonly { name: string }[]) => all.map((i) => i.name);

test('overdue first, then the next to run out, then those without a clock; closed ones are gone', () => {
  const queue = queueOf([
    incident('later', [clock(ClockState.RUNNING, now + 7200_000)]),
    incident('none', []),
    incident('soon', [clock(ClockState.RUNNING, now + 60_000)]),
    incident('missed', [clock(ClockState.MISSED, now - 60_000), clock(ClockState.RUNNING, now + 9000_000)]),
    incident('closed', [clock(ClockState.MISSED, now - 90_000)], IncidentState.CLOSED),
  ]);
  expect(names(queue)).toEqual(['missed', 'soon', 'later', 'none']);
});

test('a missed clock that was dealt with late no longer holds its incident on top', () => {
  const queue = queueOf([
    incident('dealt', [clock(ClockState.MISSED, now - 60_000, now - 1000), clock(ClockState.RUNNING, now + 7200_000)]),
    incident('soon', [clock(ClockState.RUNNING, now + 60_000)]),
  ]);
  expect(names(queue)).toEqual(['soon', 'dealt']);
});

test('kept, superseded and not started clocks do not run out', () => {
  const one = incident('a', [
    clock(ClockState.KEPT, now - 1),
    clock(ClockState.SUPERSEDED, now + 1),
    clock(ClockState.NOT_STARTED),
    clock(ClockState.NOT_APPLICABLE, now + 2),
  ]);
  expect(nextClock(one)).toBeUndefined();
});

test('what may be done at any time does not press', () => {
  expect(nextClock(incident('a', [{ ...clock(ClockState.RUNNING), duty: DutyKind.OTHER }]))).toBeUndefined();
});

test('a duty without a figure comes after those with one', () => {
  const one = incident('a', [clock(ClockState.RUNNING), clock(ClockState.RUNNING, now + 60_000)]);
  expect(nextClock(one)?.dueTime).toBeDefined();
});

const note = (name: string, direction: Direction, state: NotificationState, due?: number) => {
  const acknowledgeDueTime = stamp(due);
  return create(NotificationRecordSchema, { name, direction, state, ...(acknowledgeDueTime ? { acknowledgeDueTime } : {}) });
};

test('what waits for us comes before what waits for them; drafts and answered ones wait for nobody', () => {
  const answered = create(NotificationRecordSchema, {
    name: 'answered',
    direction: Direction.OUTGOING,
    state: NotificationState.ACKNOWLEDGED,
    acknowledgement: { person: 'x' },
  });
  const all = [
    note('sent', Direction.OUTGOING, NotificationState.DELIVERED, now + 60_000),
    note('draft', Direction.OUTGOING, NotificationState.DRAFT),
    note('came', Direction.INCOMING, NotificationState.DELIVERED, now + 90_000),
    note('urgent', Direction.OUTGOING, NotificationState.APPROVED, now - 60_000),
    note('thrown', Direction.OUTGOING, NotificationState.DISCARDED),
    answered,
  ];
  expect(names(unansweredOf(all))).toEqual(['came', 'urgent', 'sent']);
});

test('a notification that their node refused still wants an answer', () => {
  expect(unanswered(note('a', Direction.OUTGOING, NotificationState.REFUSED))).toBe(true);
});

test('clocks: by deadline, then promptly, then at any time, then not started, then settled', () => {
  const all = [
    { ...clock(ClockState.KEPT, now), name: 'kept' },
    { ...clock(ClockState.RUNNING), duty: DutyKind.OTHER, name: 'any time' },
    { ...clock(ClockState.NOT_STARTED), name: 'not started' },
    { ...clock(ClockState.RUNNING), duty: DutyKind.NOTIFY_NEIGHBOUR, name: 'promptly' },
    { ...clock(ClockState.RUNNING, now + 60_000), name: 'due' },
    { ...clock(ClockState.MISSED, now - 60_000), name: 'missed' },
  ];
  expect(names(clocksInOrder(incident('a', all).clocks))).toEqual(['missed', 'due', 'promptly', 'any time', 'not started', 'kept']);
});
