/** A request id that stays the same for as long as the body is the same, so that a repeat takes effect once. */
export interface Attempt {
  id: string;
  body: string;
}

export function attemptFor(last: Attempt | null | undefined, body: unknown): Attempt {
  const text = JSON.stringify(body, (_key, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value));
  return last && last.body === text ? last : { id: uuid(), body: text };
}

/** A random UUID. `crypto.randomUUID` exists only in secure contexts; a desk in the building may be reached without TLS on loopback names. */
export function uuid(): string {
  if (typeof crypto.randomUUID === 'function') return crypto.randomUUID();
  const b = crypto.getRandomValues(new Uint8Array(16));
  b[6] = (b[6]! & 0x0f) | 0x40;
  b[8] = (b[8]! & 0x3f) | 0x80;
  const hex = [...b].map((v) => v.toString(16).padStart(2, '0')).join('');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
