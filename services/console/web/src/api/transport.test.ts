import { create } from '@bufbuild/protobuf';
import type { UnaryRequest, UnaryResponse } from '@connectrpc/connect';
import { expect, test } from 'vitest';
import { GetSessionRequestSchema } from '../gen/proto/fenghuo/identity/v1/identity_pb';
import { caller } from './transport';

async function headersOf(): Promise<Headers> {
  const request = { stream: false, header: new Headers(), signal: new AbortController().signal, message: create(GetSessionRequestSchema) };
  let sent: Headers | undefined;
  const next = (given: { header: Headers }) => {
    sent = given.header;
    return Promise.resolve({} as UnaryResponse);
  };
  await caller('real')(next as never)(request as unknown as UnaryRequest);
  return sent!;
}

test('each call names its space and begins a trace of its own', async () => {
  const [first, second] = [await headersOf(), await headersOf()];
  expect(first.get('fenghuo-space')).toBe('real');
  const traces = [first, second].map((headers) => headers.get('traceparent') ?? '');
  for (const trace of traces) {
    expect(trace).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    expect(trace).not.toMatch(/-0{32}-|-0{16}-/);
  }
  expect(traces[0]).not.toBe(traces[1]);
});
