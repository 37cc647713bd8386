import { Code, ConnectError } from '@connectrpc/connect';
import { BadRequestSchema, ErrorInfoSchema } from '../gen/proto/google/rpc/error_details_pb';

/** A wrong field of the request: its path and what is wrong with it. */
export interface Violation {
  field: string;
  text: string;
}

/** An error as the page shows it: the server's own words, a code for the engineer, the wrong fields. */
export interface Problem {
  /** gRPC code, for example "INVALID_ARGUMENT"; "NO_ANSWER" when the connection failed before there was one. */
  code: string;
  /** Reason of the server, for example "REQUEST_ID_REUSED"; empty if it gave none. */
  reason: string;
  message: string;
  violations: Violation[];
  metadata: Record<string, string>;
  /** The server was not reached or did not answer: nothing is known of what became of the request. */
  unreachable: boolean;
}

const codeName = (code: Code): string => (Code[code] ?? 'Unknown').replace(/([a-z])([A-Z])/g, '$1_$2').toUpperCase();

export function problemOf(error: unknown): Problem {
  const e = ConnectError.from(error);
  const info = e.findDetails(ErrorInfoSchema)[0];
  const violations = e
    .findDetails(BadRequestSchema)
    .flatMap((b) => b.fieldViolations)
    .map((v) => ({ field: v.field, text: v.description }));
  const reason = info?.reason ?? '';
  const silent = e.code === Code.Unavailable || e.code === Code.DeadlineExceeded || e.code === Code.Canceled;
  // A failed fetch has no gRPC status: connect reports it as unknown or internal, caused by the browser's own error.
  const offline = error instanceof TypeError || e.cause instanceof TypeError;
  const unreachable = reason === '' && (silent || offline);
  return {
    code: offline ? 'NO_ANSWER' : codeName(e.code),
    reason,
    message: e.rawMessage,
    violations,
    metadata: info?.metadata ?? {},
    unreachable,
  };
}

/** The violation of a field or of something below it. Paths are compared from their end, so that "place.admin_code" finds "report.place.admin_code". */
export function violationAt(problem: Problem | null, path: string): string | undefined {
  return problem?.violations.find((v) => v.field === path || v.field.endsWith(`.${path}`))?.text;
}
