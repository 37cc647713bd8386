/** How a countdown reads. `unit` tells h:mm and mm:ss apart: the digits alone would not. */
export interface Countdown {
  /** "1:43", "43:10", "+0:12", "+2:05" */
  text: string;
  unit: 'h' | 'min' | 'd';
  overdue: boolean;
  /** Less than a quarter of an hour left. */
  soon: boolean;
}

const two = (n: number) => String(n).padStart(2, '0');
const HOUR = 3600;
const LONG = 100 * HOUR;

/** Above an hour h:mm, below it mm:ss, overdue with a plus in front; from a hundred hours on days and hours. */
export function countdown(dueMs: number, nowMs: number): Countdown {
  const overdue = nowMs > dueMs;
  // A second that has begun still counts as left, so that 0:00 is the deadline itself.
  const left = overdue ? Math.floor((nowMs - dueMs) / 1000) : Math.ceil((dueMs - nowMs) / 1000);
  const sign = overdue ? '+' : '';
  const soon = !overdue && left <= 900;
  if (left >= LONG) {
    const hours = Math.floor(left / HOUR);
    return { text: `${sign}${Math.floor(hours / 24)}:${two(hours % 24)}`, unit: 'd', overdue, soon };
  }
  if (left >= HOUR) {
    const minutes = overdue ? Math.floor(left / 60) : Math.ceil(left / 60);
    return { text: `${sign}${Math.floor(minutes / 60)}:${two(minutes % 60)}`, unit: 'h', overdue, soon };
  }
  return { text: `${sign}${Math.floor(left / 60)}:${two(left % 60)}`, unit: 'min', overdue, soon };
}

/** An age: "12 s", "3:05" (min), "1:43" (h), in the same digits. */
export function age(sinceMs: number, nowMs: number): Countdown {
  const c = countdown(sinceMs, Math.max(nowMs, sinceMs + 1));
  return { ...c, text: c.text.replace('+', ''), overdue: false };
}
