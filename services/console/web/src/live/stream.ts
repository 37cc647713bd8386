import { Code, ConnectError } from '@connectrpc/connect';

/** What a kept stream tells its owner. */
export interface StreamHandlers<T> {
  message: (message: T) => void;
  /** A new connection delivered its first message. */
  up: () => void;
  /** The connection was lost; it is tried again. */
  down: (error: unknown) => void;
}

const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 5_000;
const REFUSED_WAIT_MS = 30_000;

/** The wait before the nth try: doubling, never above five seconds, a little uneven so that desks do not come back in step. */
export function backOffMs(failures: number, random: number): number {
  const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.max(0, failures - 1));
  return Math.round(wait * (0.75 + 0.5 * random));
}

/**
 * Keeps a server stream open until the returned function is called. A stream that stays silent for longer than `silenceMs` counts
 * as lost: a connection that hangs looks like one that has nothing to say.
 */
export function keepStream<T>(
  open: (signal: AbortSignal) => AsyncIterable<T>,
  handlers: StreamHandlers<T>,
  silenceMs: number | null,
): () => void {
  const stop = new AbortController();
  void run();
  return () => stop.abort();

  async function run(): Promise<void> {
    let failures = 0;
    while (!stop.signal.aborted) {
      let heard = false;
      let error: unknown = new Error('the stream ended');
      try {
        await once(() => {
          if (heard) return;
          heard = true;
          failures = 0;
          handlers.up();
        });
      } catch (e) {
        error = e;
      }
      if (stop.signal.aborted) return;
      failures += 1;
      handlers.down(error);
      await pause(waitFor(error, failures));
    }
  }

  async function once(onFirst: () => void): Promise<void> {
    const quiet = new AbortController();
    let timer = watch(quiet);
    try {
      for await (const message of open(AbortSignal.any([stop.signal, quiet.signal]))) {
        clearTimeout(timer);
        timer = watch(quiet);
        onFirst();
        handlers.message(message);
      }
    } finally {
      clearTimeout(timer);
    }
  }

  function watch(quiet: AbortController): ReturnType<typeof setTimeout> | undefined {
    return silenceMs === null ? undefined : setTimeout(() => quiet.abort(), silenceMs);
  }

  function pause(waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, waitMs);
      stop.signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
    });
  }
}

function waitFor(error: unknown, failures: number): number {
  const code = ConnectError.from(error).code;
  const refused = code === Code.PermissionDenied || code === Code.Unauthenticated || code === Code.Unimplemented;
  return refused ? REFUSED_WAIT_MS : backOffMs(failures, Math.random());
}
