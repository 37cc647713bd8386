import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { backOffMs, keepStream } from './stream';
import { Gatherer, subjectOf, type Subject } from './subjects';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('an event on a part of an incident means the incident', () => {
  const incident = 'provinces/420000/incidents/0198';
  expect(subjectOf(`${incident}/clocks/1`)).toEqual({ kind: 'incident', name: incident });
  expect(subjectOf(incident)).toEqual({ kind: 'incident', name: incident });
  expect(subjectOf('provinces/500000/notifications/7')).toEqual({ kind: 'notification', name: 'provinces/500000/notifications/7' });
  expect(subjectOf('provinces/420000/reports/1')).toEqual({ kind: 'other' });
});

test('a burst of events on one record is one look at it', () => {
  const looks: Subject[][] = [];
  const gatherer = new Gatherer(80, (s) => looks.push(s));
  for (let i = 0; i < 50; i++) gatherer.add('provinces/420000/incidents/a');
  gatherer.add('provinces/420000/incidents/b');
  vi.advanceTimersByTime(80);
  expect(looks).toHaveLength(1);
  expect(looks[0]).toHaveLength(2);
  gatherer.add('provinces/420000/incidents/a');
  vi.advanceTimersByTime(80);
  expect(looks).toHaveLength(2);
});

test('waits grow, and never above five seconds and a quarter more', () => {
  expect(backOffMs(1, 0.5)).toBe(250);
  expect(backOffMs(2, 0.5)).toBe(500);
  expect(backOffMs(50, 1)).toBe(6250);
});

async function* once(): AsyncGenerator<number> {
  yield 1;
}

test('a stream that ends is opened again, and says that it was down', async () => {
  const seen: string[] = [];
  const stop = keepStream(once, { message: () => seen.push('message'), up: () => seen.push('up'), down: () => seen.push('down') }, null);
  await vi.advanceTimersByTimeAsync(1000);
  stop();
  expect(seen.slice(0, 6)).toEqual(['up', 'message', 'down', 'up', 'message', 'down']);
});

test('a stream that hangs counts as lost', async () => {
  const seen: string[] = [];
  async function* hang(signal: AbortSignal): AsyncGenerator<number> {
    yield 1;
    await new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
  }
  const stop = keepStream(hang, { message: () => undefined, up: () => seen.push('up'), down: () => seen.push('down') }, 15_000);
  await vi.advanceTimersByTimeAsync(14_000);
  expect(seen).toEqual(['up']);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(seen).toEqual(['up', 'down', 'up']);
  stop();
});

test('a stopped stream stays stopped', async () => {
  let opened = 0;
  const stop = keepStream(
    () => {
      opened += 1;
      return once();
    },
    { message: () => undefined, up: () => undefined, down: () => undefined },
    null,
  );
  await vi.advanceTimersByTimeAsync(10);
  stop();
  const before = opened;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(opened).toBe(before);
});
