import { Severity, type Condition } from '../gen/proto/fenghuo/operation/v1/operation_pb';

/** The first words of a condition's text, for the bar: what stands before the colon. */
export function heading(text: string): string {
  return text.split(/[：:]/, 1)[0] ?? text;
}

/** A shape for each severity, so that colour is never alone. */
export const SHAPE: Record<Severity, string> = {
  [Severity.UNSPECIFIED]: '●',
  [Severity.NOTICE]: '△',
  [Severity.DEGRADED]: '⚠',
  [Severity.CRITICAL]: '✕',
};

/** Does the server itself say that its database is gone? */
export const databaseGone = (all: readonly Condition[]): Condition | undefined => all.find((c) => c.code === 'DATABASE_UNREACHABLE');
