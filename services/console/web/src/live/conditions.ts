import { create } from '@bufbuild/protobuf';
import type { Clients } from '../api/clients';
import { problemOf } from '../api/errors';
import { ConditionSchema, Severity, type Condition, type Quarantine } from '../gen/proto/fenghuo/operation/v1/operation_pb';
import { format } from '../i18n';
import { stamp } from '../logic/time';
import { Store } from './store';
import { keepStream } from './stream';

// The server says something every two seconds.
const SILENCE_MS = 8_000;

/** What is wrong with the node now, as it says itself. */
export interface Wrong {
  conditions: readonly Condition[];
  quarantine: Quarantine | undefined;
  /** The server is heard now; otherwise this is what it said last. */
  heard: boolean;
}

/** Follows what is cut off; tells when the state of a link to a partner has changed. */
export class Conditions {
  readonly wrong = new Store<Wrong>({ conditions: [], quarantine: undefined, heard: false });
  private links: bigint | null = null;

  constructor(
    private clients: Clients,
    private onLinks: () => void,
  ) {}

  start(): () => void {
    return keepStream(
      (signal) => this.clients.operation.watchConditions({}, { signal }),
      {
        message: (m) => {
          this.wrong.set({ conditions: m.conditions, quarantine: m.quarantine, heard: true });
          if (this.links !== m.linksNumber) this.onLinks();
          this.links = m.linksNumber;
        },
        up: () => undefined,
        down: (error) => this.lost(error),
      },
      SILENCE_MS,
    );
  }

  // A server that answers without its database refuses a new stream, and says why.
  private lost(error: unknown): void {
    this.links = null;
    const refused = problemOf(error).reason === 'DATABASE_UNREACHABLE';
    this.wrong.update((before) => {
      if (!refused) return { ...before, heard: false };
      const known = before.conditions.some((c) => c.code === 'DATABASE_UNREACHABLE');
      return { ...before, heard: true, conditions: known ? before.conditions : [databaseUnreachable(), ...before.conditions] };
    });
  }
}

function databaseUnreachable(): Condition {
  return create(ConditionSchema, {
    code: 'DATABASE_UNREACHABLE',
    severity: Severity.CRITICAL,
    sinceTime: stamp(Date.now()),
    textZh: format('zh', 'down.database'),
    textEn: format('en', 'down.database'),
    nextZh: format('zh', 'down.databaseNext'),
    nextEn: format('en', 'down.databaseNext'),
  });
}
