import { timestampFromMs, timestampMs, type Timestamp } from '@bufbuild/protobuf/wkt';

// People read Beijing time (UTC+8, without summer time since 1992); the machine keeps UTC.
const BEIJING_MS = 8 * 3600_000;

export interface BeijingTime {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
}

export function beijing(ms: number): BeijingTime {
  const d = new Date(ms + BEIJING_MS);
  return {
    year: d.getUTCFullYear(),
    month: d.getUTCMonth() + 1,
    day: d.getUTCDate(),
    hour: d.getUTCHours(),
    minute: d.getUTCMinutes(),
    second: d.getUTCSeconds(),
  };
}

const two = (n: number) => String(n).padStart(2, '0');

/** "2014-08-13" */
export function isoDate(ms: number): string {
  const t = beijing(ms);
  return `${t.year}-${two(t.month)}-${two(t.day)}`;
}

/** "14:35" */
export function clockTime(ms: number): string {
  const t = beijing(ms);
  return `${two(t.hour)}:${two(t.minute)}`;
}

/** "14:35:07" */
export function clockTimeSeconds(ms: number): string {
  return `${clockTime(ms)}:${two(beijing(ms).second)}`;
}

/** "2014-08-13 14:35" */
export function dateTime(ms: number): string {
  return `${isoDate(ms)} ${clockTime(ms)}`;
}

/** Only the time for today, day and time within the year, otherwise all of it. */
export function shortTime(ms: number, nowMs: number): string {
  if (isoDate(ms) === isoDate(nowMs)) return clockTime(ms);
  const t = beijing(ms);
  if (t.year === beijing(nowMs).year) return `${two(t.month)}-${two(t.day)} ${clockTime(ms)}`;
  return dateTime(ms);
}

const PATTERNS = [
  /^(?:(?:(\d{4})[-/.年])?(\d{1,2})[-/.月](\d{1,2})日?[\sT]+)?(\d{1,2})[:：时](\d{2})分?$/,
  /^(?:(?:(\d{4})[-/.年])?(\d{1,2})[-/.月](\d{1,2})日?[\sT]+)?(\d{2})(\d{2})$/,
];

/**
 * Reads what an officer types: "1435", "14:35", "8-13 14:35", "2014-08-13 14:35", all in Beijing time. Without a date it is the
 * last such time before now; without a year it is the last such day. "." and "now" are now. Null if it cannot be read.
 */
export function parseTime(text: string, nowMs: number): number | null {
  // What an input method types in full width counts as typed.
  const trimmed = text.normalize('NFKC').trim();
  if (trimmed === '.' || trimmed === '现在' || trimmed.toLowerCase() === 'now') return Math.floor(nowMs / 60_000) * 60_000;
  const found = PATTERNS.map((p) => p.exec(trimmed)).find((m) => m !== null);
  if (!found) return null;
  const [, year, month, day, hour, minute] = found.map((v) => (v === undefined ? undefined : Number(v)));
  if (hour === undefined || minute === undefined || hour > 23 || minute > 59) return null;
  const now = beijing(nowMs);
  const at = (y: number, m: number, d: number) => Date.UTC(y, m - 1, d, hour, minute) - BEIJING_MS;
  if (month === undefined || day === undefined) {
    const today = at(now.year, now.month, now.day);
    // A few minutes ahead are a watch that is fast, not yesterday.
    return today > nowMs + 10 * 60_000 ? today - 86_400_000 : today;
  }
  const y = year ?? now.year;
  const result = at(y, month, day);
  const back = beijing(result);
  if (back.month !== month || back.day !== day) return null;
  if (year === undefined && result > nowMs + 86_400_000) return at(y - 1, month, day);
  return result;
}

export const ms = (t: Timestamp | undefined): number | undefined => (t ? timestampMs(t) : undefined);
export const stamp = (value: number | null | undefined): Timestamp | undefined =>
  value === null || value === undefined ? undefined : timestampFromMs(value);
