const hex = (bytes: number) =>
  Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (byte) => byte.toString(16).padStart(2, '0')).join('');

/** A W3C traceparent for a call that begins here: its trace leads from the officer's key press to the partner's node. */
export function newTraceparent(): string {
  return `00-${hex(16)}-${hex(8)}-01`;
}
